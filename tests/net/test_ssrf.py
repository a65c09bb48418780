"""The SSRF filter by rows: each disguise a private address can wear."""

import ipaddress
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopwire.net.ssrf import UnusableUrl, allowed_ip, nature, refusal, target
from stopwire.ports.http import PrivateTargets

NONE, LOOPBACK, ALL = PrivateTargets

ISATAP = "2a00:1450:4001:800:0:5efe:127.0.0.1"
PUBLIC = [
    "http://example.com",
    "https://example.com/sms?a=b#ct=2000&rp=all",
    "HTTPS://EXAMPLE.COM:8443/a%7Eb",
    "https://user:pass@example.com/sms",
    "https://user:p%40ss@example.com/sms",
    "http://127.0.0.1:80@example.com/",
    "http://example.com/@127.0.0.1/",
    "http://example.com?@127.0.0.1/",
    "http://example.com#@127.0.0.1/",
    "http://example.com./sms",
    "http://under_score.example.com/",
    "http://bücher.example/ü",
    "http://8.8.8.8/",
    "http://172.15.255.255/",
    "http://172.32.0.1/",
    "http://100.63.255.255/",
    "http://100.128.0.1/",
    "http://[2606:4700:4700::1111]/",
    "http://[2a00:1450:4001:800::200e]:8080/sms",
    "http://127.0.0.1.example.com/",
    "http://0x7f.example.com/",
]
LOOPBACK_ONLY = [
    "http://127.0.0.1/",
    "http://127.0.0.1:8000/sms",
    "http://127.255.255.254/",
    "http://127.0.0.1?@example.com/",
    "http://127.0.0.1#@example.com/",
    "http://example.com@127.0.0.1/",
    "http://example.com:80@127.0.0.1/",
    "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]:3000/",
    "http://[0000:0000:0000:0000:0000:0000:0000:0001]/",
    "http://localhost/",
    "http://LOCALHOST:5000/",
    "http://localhost./",
    "http://app.localhost/",
    "http://app.localhost./",
    "http://localhost.localdomain/",
    "http://ip6-localhost/",
    "http://１２７.0.0.1/",
    "http://127。0。0。1/",
    "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/",
]
PRIVATE = [
    "http://0.0.0.0/",
    "http://0.1.2.3/",
    "http://10.0.0.5/",
    "http://10.255.255.255/",
    "http://100.64.0.1/",
    "http://100.100.100.200/",
    "http://168.63.129.16/",
    "http://169.254.169.254/latest/meta-data/",
    "http://169.254.170.2/",
    "http://172.16.0.1/",
    "http://172.31.255.255/",
    "http://192.0.0.192/",
    "http://192.0.2.1/",
    "http://192.88.99.1/",
    "http://192.168.1.1/",
    "http://198.18.0.1/",
    "http://198.51.100.1/",
    "http://203.0.113.1/",
    "http://224.0.0.1/",
    "http://239.255.255.255/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::ffff:8.8.8.8]/",
    "http://[::ffff:169.254.169.254]/",
    "http://[::ffff:0:127.0.0.1]/",
    "http://[::127.0.0.1]/",
    "http://[::a00:5]/",
    "http://[64:ff9b::127.0.0.1]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[64:ff9b:1::1]/",
    "http://[2001::1]/",
    "http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
    "http://[2001:10::1]/",
    "http://[2001:db8::1]/",
    "http://[3fff::1]/",
    "http://[2002:7f00:1::]/",
    "http://[2002:a9fe:a9fe::1]/",
    f"http://[{ISATAP}]/",
    "http://[2a00:1450:4001:800:200:5efe:a00:5]/",
    "http://[100::1]/",
    "http://[4000::1]/",
    "http://[5f00::1]/",
    "http://[fc00::1]/",
    "http://[fd00:ec2::254]/",
    "http://[fe80::1]/",
    "http://[fec0::1]/",
    "http://[ff02::1]/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://printer.local/",
    "http://router.home.arpa/",
    "http://intranet/",
    "http://redis:6379/",
    "http://db.corp/",
]
UNUSABLE = [
    "",
    "example.com",
    "//example.com/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_",
    "javascript:alert(1)",
    "http:example.com",
    "http:/example.com",
    "http://",
    "http:///etc",
    "http://?a=b",
    "http://:80/",
    "http://user@/",
    "http://a@b@127.0.0.1/",
    "http://example.com\\@127.0.0.1/",
    "http:\\\\127.0.0.1/",
    "http://example.com\t.evil/",
    " http://example.com/",
    "http://example.com/ a",
    "http://example.com\r\nHost: x/",
    "http://example.com\x00.evil/",
    "http://example.com:99999/",
    "http://example.com:0/",
    "http://example.com:port/",
    "http://example.com:-1/",
    "http://2130706433/",
    "http://017700000001/",
    "http://0x7f000001/",
    "http://0x7F.1/",
    "http://0x7f.0x0.0x0.0x1/",
    "http://0177.0.0.1/",
    "http://127.1/",
    "http://127.0.1/",
    "http://127.0.0.01/",
    "http://127.0.0.1./",
    "http://8.8.8.8./",
    "http://0/",
    "http://0x/",
    "http://256.256.256.256/",
    "http://1.2.3.4.5/",
    "http://127%2e0%2e0%2e1/",
    "http://%31%32%37.0.0.1/",
    "http://[::1/",
    "http://::1/",
    "http://[::1%25lo]/",
    "http://[fe80::1%25eth0]/",
    "http://[v1.a]/",
    "http://[127.0.0.1]/",
    "http://[]/",
    "http://.example.com/",
    "http://example..com/",
    "http://example.com../",
    f"http://{'a' * 64}.com/",
    f"http://{'a.' * 130}com/",
    "http://exa$mple.com/",
    "http://<script>/",
]


@pytest.mark.parametrize("url", PUBLIC)
@pytest.mark.parametrize("private", PrivateTargets)
def test_a_public_url_may_be_called(url: str, private: PrivateTargets) -> None:
    assert refusal(url, private=private) is None


@pytest.mark.parametrize("url", LOOPBACK_ONLY)
def test_loopback_may_be_called_only_where_allowed(url: str) -> None:
    assert [False, True, True] == [refusal(url, private=mode) is None for mode in (NONE, LOOPBACK, ALL)]


@pytest.mark.parametrize("url", PRIVATE)
def test_an_address_that_is_not_public_may_be_called_only_where_all_are_allowed(url: str) -> None:
    assert [False, False, True] == [refusal(url, private=mode) is None for mode in (NONE, LOOPBACK, ALL)]


@pytest.mark.parametrize("url", UNUSABLE)
@pytest.mark.parametrize("private", PrivateTargets)
def test_a_malformed_or_ambiguous_url_is_refused_for_everybody(url: str, private: PrivateTargets) -> None:
    assert refusal(url, private=private) is not None


@pytest.mark.parametrize("url", [url for url in PRIVATE if url[7] == "[" or url[7].isdigit()])
def test_each_refused_literal_is_refused_at_the_connection_too(url: str) -> None:
    ip = target(url).raw_host or ""
    assert [False, False, True] == [allowed_ip(ip, mode) for mode in (NONE, LOOPBACK, ALL)]


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://10.0.0.5/", "10.0.0.5 is a private address: allow_private_webhooks decides whether it may be called."),
        ("http://localhost/", "localhost is a loopback name: allow_private_webhooks decides whether it may be called."),
        ("http://2130706433/", "The URL's host is an address in an unusual form: write four decimal numbers."),
        ("ftp://a.b/", "The URL does not begin with http:// or https://."),
    ],
)
def test_a_refusal_is_a_sentence_with_its_cure(url: str, sentence: str) -> None:
    assert sentence == refusal(url, private=NONE)


def test_a_url_is_called_as_it_is_written_so_that_its_signature_fits() -> None:
    written = "https://example.com/a%7Eb/%2F?x=%c3%bc&y=a+b"
    assert written == str(target(written))


@given(st.ip_addresses(v=4))
def test_no_ipv4_address_is_public_that_the_standard_library_calls_private(ip: ipaddress.IPv4Address) -> None:
    assert ip.is_global or nature(ip) or ip in ipaddress.ip_network("192.0.0.0/24")


@given(st.ip_addresses(v=6))
def test_no_ipv6_address_is_public_that_the_standard_library_calls_private(ip: ipaddress.IPv6Address) -> None:
    assert ip.is_global or nature(ip)


@given(st.ip_addresses(v=4), st.sampled_from(["::ffff:{}", "::{}", "64:ff9b::{}", "2a00::5efe:{}", "::ffff:0:{}"]))
def test_no_ipv6_address_that_embeds_an_ipv4_one_is_public(ip: ipaddress.IPv4Address, form: str) -> None:
    assert not allowed_ip(form.format(ip), NONE)


@given(st.text())
def test_whatever_is_written_the_filter_answers(text: str) -> None:
    for url in (text, f"http://{text}", f"http://{text}/"):
        if (answer := refusal(url, private=ALL)) is None:
            target(url)
        else:
            with pytest.raises(UnusableUrl, match=re.escape(answer)):
                target(url)


@pytest.mark.parametrize("text", ["", "localhost", "1.2.3", "x", "::g"])
def test_an_address_that_cannot_be_read_is_not_allowed(text: str) -> None:
    assert [False] * 3 == [allowed_ip(text, mode) for mode in (NONE, LOOPBACK, ALL)]
