"""Which URLs and addresses the gateway may call: the one filter against server-side request forgery.

Two looks: at the URL when somebody sets it, and at every address of its host when it is called. Only names and
numbers are judged here; nothing is resolved and nothing is connected.
"""

import ipaddress
import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from yarl import URL

from stopwire.ports.http import PrivateTargets

SPECIAL_V4: tuple[tuple[IPv4Network, str], ...] = tuple(
    (IPv4Network(network), kind)
    for network, kind in (
        ("0.0.0.0/8", "an unspecified"),  # RFC 1122: "this host"; Linux connects it to loopback
        ("10.0.0.0/8", "a private"),  # RFC 1918
        ("100.64.0.0/10", "a carrier-grade NAT"),  # RFC 6598; some clouds keep metadata here
        ("127.0.0.0/8", "a loopback"),
        ("168.63.129.16/32", "a cloud metadata"),  # a public number that answers inside Azure only
        ("169.254.0.0/16", "a link-local"),  # RFC 3927; cloud metadata
        ("172.16.0.0/12", "a private"),
        ("192.0.0.0/24", "a reserved"),  # RFC 6890; metadata of Oracle's cloud
        ("192.0.2.0/24", "a documentation"),  # RFC 5737
        ("192.88.99.0/24", "a 6to4"),  # RFC 7526
        ("192.168.0.0/16", "a private"),
        ("198.18.0.0/15", "a benchmarking"),  # RFC 2544
        ("198.51.100.0/24", "a documentation"),
        ("203.0.113.0/24", "a documentation"),
        ("224.0.0.0/4", "a multicast"),
        ("240.0.0.0/4", "a reserved"),  # RFC 1112, with 255.255.255.255
    )
)
SPECIAL_V6: tuple[tuple[IPv6Network, str], ...] = tuple(
    (IPv6Network(network), kind)
    for network, kind in (
        ("::/128", "an unspecified"),
        ("::1/128", "a loopback"),
        ("::ffff:0:0/96", "an IPv4-mapped"),
        ("::ffff:0:0:0/96", "an IPv4-translated"),  # RFC 2765
        ("::/96", "an IPv4-compatible"),
        ("64:ff9b::/96", "a NAT64"),  # RFC 6052
        ("64:ff9b:1::/48", "a NAT64"),  # RFC 8215
        ("2001::/32", "a Teredo"),
        ("2001::/23", "a reserved"),  # RFC 2928
        ("2001:db8::/32", "a documentation"),
        ("2002::/16", "a 6to4"),
        ("3fff::/20", "a documentation"),  # RFC 9637
        ("fc00::/7", "a private"),  # RFC 4193; fd00:ec2::254 is cloud metadata
        ("fe80::/10", "a link-local"),
        ("fec0::/10", "a site-local"),
        ("ff00::/8", "a multicast"),
    )
)
GLOBAL_V6 = IPv6Network("2000::/3")  # all the IPv6 space that has been given out for use between networks
ISATAP = {0x0000_5EFE, 0x0200_5EFE}  # RFC 5214: bits 64 to 95 before an embedded IPv4 address
LOOPBACKS = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))

# Names that never lead out of a house. RFC 6761, RFC 6762, RFC 8375, and .internal as reserved by ICANN.
INSIDE = ("local", "localdomain", "internal", "intranet", "lan", "home.arpa", "private", "corp", "home")
CURE = "allow_private_webhooks decides whether it may be called"


class UnusableUrl(ValueError):
    """The URL cannot be called by anybody; the text says why."""


def refusal(url: str, *, private: PrivateTargets) -> str | None:
    """Why `url` may not be called, as a sentence; None if its text gives no reason. Its addresses are judged later."""
    try:
        host = target(url).raw_host or ""
    except UnusableUrl as error:
        return str(error)
    if private is PrivateTargets.ALL:
        return None
    if (ip := _literal(host)) is not None:
        return None if allowed_ip(ip, private) else f"{ip} is {nature(ip)} address: {CURE}."
    name = host.lower().rstrip(".")
    if is_localhost(name):
        return None if private is PrivateTargets.LOOPBACK else f"{name} is a loopback name: {CURE}."
    if "." not in name or any(name == suffix or name.endswith(f".{suffix}") for suffix in INSIDE):
        return f"{name} is a name of a private network: {CURE}."
    return None


def target(url: str) -> URL:
    """The URL as it is called: exactly as written where that is plain ASCII, else encoded. Raises `UnusableUrl`.

    Parsed once and strictly, so that no two readers can find two hosts in one text.
    """
    if re.search(r"[\x00-\x20\x7f-\x9f\\]", url):
        raise UnusableUrl("The URL holds a space, a backslash or a control character: encode it.")
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.lower() not in ("http", "https"):
        raise UnusableUrl("The URL does not begin with http:// or https://.")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if authority.count("@") > 1:
        raise UnusableUrl("The URL holds more than one @ before its path: encode those of the password as %40.")
    try:
        # Encoded again, `%7E` would become `~`, and the signature of the URL would not fit what the server sees.
        parsed = URL(url, encoded=url.isascii())
        host, port = parsed.raw_host or "", parsed.port
    except ValueError:
        raise UnusableUrl("The URL's host or port is malformed.") from None
    if not host:
        raise UnusableUrl("The URL names no host.")
    if port is None or not 0 < port < 65_536:
        raise UnusableUrl("The URL's port is not between 1 and 65535.")
    _check_host(host, bracketed="[" in authority.rpartition("@")[2])
    return parsed


def allowed_ip(ip: str | IPv4Address | IPv6Address, private: PrivateTargets) -> bool:
    """Whether a connection to this address may be opened. An address that cannot be read is not allowed."""
    if isinstance(ip, str):
        try:
            ip = ipaddress.ip_address(ip)
        except ValueError:
            return False
    if private is PrivateTargets.ALL:
        return True
    if private is PrivateTargets.LOOPBACK and any(ip in network for network in LOOPBACKS):
        return True
    return nature(ip) == ""


def nature(ip: IPv4Address | IPv6Address) -> str:
    """What is special about an address, with its article ("a private"); empty for a public one."""
    if isinstance(ip, IPv4Address):
        return next((kind for network, kind in SPECIAL_V4 if ip in network), "")
    if ip.scope_id is not None:
        return "a link-local"
    for network, kind in SPECIAL_V6:
        if ip in network:
            return kind
    if ip not in GLOBAL_V6:
        return "a reserved"
    if (int(ip) >> 32) & 0xFFFF_FFFF in ISATAP:
        return "an ISATAP"
    return ""


def is_localhost(name: str) -> bool:
    """Whether a name is loopback by definition. RFC 6761 §6.3."""
    name = name.lower().rstrip(".")
    return name in ("localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback") or name.endswith(".localhost")


def _check_host(host: str, *, bracketed: bool) -> None:
    if bracketed:
        try:
            IPv6Address(host)
        except ValueError:
            raise UnusableUrl("The URL's host in brackets is not an IPv6 address.") from None
        if "%" in host:
            raise UnusableUrl("The URL's IPv6 address names a zone of one machine: leave it out.")
        return
    labels = host.removesuffix(".").split(".")
    if not all(re.fullmatch(r"[A-Za-z0-9_-]{1,63}", label) for label in labels) or len(host) > 254:
        raise UnusableUrl("The URL's host is neither a name nor an address.")
    # A host that ends in a number is an address to every resolver: 127.1, 0x7f.0.0.1, 2130706433, 0177.0.0.1.
    if re.fullmatch(r"[0-9]+|0[xX][0-9a-fA-F]*", labels[-1]) and _literal(host) is None:
        raise UnusableUrl("The URL's host is an address in an unusual form: write four decimal numbers.")


@lru_cache(maxsize=1024)
def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
