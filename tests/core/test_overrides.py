"""The rules in the fragment of a webhook's URL."""

import pytest

from stopwire.core.overrides import Overrides, read

READ = [
    pytest.param("", Overrides(), id="none"),
    pytest.param("section", Overrides(), id="a fragment that is no rule"),
    pytest.param("ct=100", Overrides(connect_seconds=0.1), id="the shortest connect"),
    pytest.param("ct=10000&rt=15000", Overrides(connect_seconds=10.0, read_seconds=15.0), id="the longest of both"),
    pytest.param("tt=2500", Overrides(total_seconds=2.5), id="the total"),
    pytest.param("rc=0", Overrides(retries=0), id="no retry"),
    pytest.param("rc=5&rp=all", Overrides(retries=5, policy=frozenset({"all"})), id="five after everything"),
    pytest.param("rp=4xx,5xx,rt", Overrides(policy=frozenset({"4xx", "5xx", "rt"})), id="a list"),
    pytest.param("sni=n&e=ashburn", Overrides(sni=False), id="no name in the handshake; edges have no effect"),
]


@pytest.mark.parametrize(("fragment", "expected"), READ)
def test_rules_are_read(fragment: str, expected: Overrides) -> None:
    assert (expected, None) == read(fragment)


MALFORMED = ["ct=99", "ct=10001", "rt=15001", "tt=0", "rc=6", "rc=-1", "rc=one", "rp=", "rp=3xx", "rp=ct,", "sni=x", "zz=1", "rc=²"]


@pytest.mark.parametrize("wrong", MALFORMED)
def test_one_malformed_rule_leaves_all_defaults(wrong: str) -> None:
    rules, problem = read(f"rc=3&{wrong}")
    assert Overrides() == rules
    assert problem is not None
    assert problem.endswith(f": {wrong}")


AGAIN = [
    # policy, status, failure, expected
    pytest.param("ct", None, "connect", True, id="ct: refused"),
    pytest.param("ct", None, "connect_timeout", True, id="ct: no connection in time"),
    pytest.param("ct", None, "tls", True, id="ct: no handshake"),
    pytest.param("ct", None, "read_timeout", False, id="ct: silence"),
    pytest.param("ct", None, "closed", False, id="ct: hung up"),
    pytest.param("ct", 500, None, False, id="ct: 500"),
    pytest.param("rt", None, "read_timeout", True, id="rt: silence"),
    pytest.param("rt", None, "connect", False, id="rt: refused"),
    pytest.param("4xx", 404, None, True, id="4xx: 404"),
    pytest.param("4xx", 500, None, False, id="4xx: 500"),
    pytest.param("5xx", 503, None, True, id="5xx: 503"),
    pytest.param("5xx", 404, None, False, id="5xx: 404"),
    pytest.param("all", None, "connect", True, id="all: refused"),
    pytest.param("all", None, "read_timeout", True, id="all: silence"),
    pytest.param("all", None, "closed", True, id="all: hung up without an answer"),
    pytest.param("all", 404, None, True, id="all: 404"),
    pytest.param("all", 500, None, True, id="all: 500"),
    pytest.param("all", 200, None, False, id="all: success"),
    pytest.param("all", 302, None, False, id="all: a redirect"),
    pytest.param("all", None, "protocol", False, id="all: something had arrived"),
    pytest.param("all", None, "refused_address", False, id="all: an address that we do not call"),
]


@pytest.mark.parametrize(("policy", "status", "failure", "expected"), AGAIN)
def test_what_is_tried_again(policy: str, status: int | None, failure: str | None, expected: bool) -> None:
    assert expected == Overrides(policy=frozenset({policy})).again(status=status, failure=failure)
