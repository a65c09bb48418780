"""The plugin in a foreign project: what pytest shows, and what it does not load."""

import functools
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.slow


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder that knows nothing of this one."""
    for name in [name for name in os.environ if name.startswith(("STOPWIRE_", "PYTEST_XDIST", "PYTEST_ADDOPTS"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TMPDIR", str(pytester.path))  # which is too long for sockets
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    return pytester


def test_it_is_silent_until_a_fixture_is_asked_for(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import sys

        def test_nothing_of_the_house_is_loaded():
            assert [] == [name for name in sys.modules if name.startswith("stopwire.") and "testing" not in name]
            assert "stopwire.testing.running" not in sys.modules
        """
    )
    project.runpytest_subprocess("--strict-markers").assert_outcomes(passed=1)


def test_a_failure_tells_what_was_texted_and_why_it_was_refused(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        def test_again(sms):
            ann = sms.phone("+14155550101", "Ann")
            ann.text("stop")
            ann.wait()
            with sms.refused(21610):
                sms.api.send(to=ann.address, service=sms.service.sid, body="again")
            assert "again" == ann.wait(timeout=0.1).body
        """
    )
    done = project.runpytest_subprocess()
    done.assert_outcomes(failed=1)
    done.stdout.re_match_lines(
        [
            r"E .*waited 0\.1 s for a text to Ann; none came\. Last refusal: 21610\.",
            r"-+ Stopwire: what was texted -+",
            r"  \d\d:\d\d:\d\d\.\d{3}  ← Ann  'stop' +STOP, blocked",
            r"  \d\d:\d\d:\d\d\.\d{3}  → Ann  'You have successfully been unsubscribed…'  automatic reply",
            r"  \d\d:\d\d:\d\d\.\d{3}  ⊘ Ann +refused 21610",
            r"  RF\w+: The request was answered with error 21610 .* by the word STOP",
        ]
    )


def test_a_hundred_tests_take_little_time_on_two_workers_with_a_gateway_each(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("number", range(100))
        def test_stop(sms, sms_gateway, number):
            ann = sms.phone("+14155550101")
            ann.text("stop")
            assert "auto_reply" == ann.wait().kind
            print("at", sms.url, sms_gateway.folder)
        """
    )
    began = time.perf_counter()
    done = project.runpytest_subprocess("-n", "2", "-rP")
    took = time.perf_counter() - began
    done.assert_outcomes(passed=100)
    gateways = set(re.findall(r"^at (\S+) (\S+)$", done.stdout.str(), re.MULTILINE))
    assert 2 == len(gateways)
    assert [] == [folder for _, folder in gateways if Path(folder).exists()]
    assert took < 40, f"{took:.1f} s"  # some 6 s where nothing else runs


def test_a_marker_with_bare_values_is_refused_with_a_sentence(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import pytest

        @pytest.mark.sms("MX")
        def test_it(sms):
            pass
        """
    )
    done = project.runpytest_subprocess()
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["*the marker sms takes names only, as in sms(country='MX')*"])


def test_without_the_sdk_a_sentence_names_the_package(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import sys

        def test_it(sms, monkeypatch):
            monkeypatch.setitem(sys.modules, "twilio.rest", None)
            sms.client
        """
    )
    done = project.runpytest_subprocess()
    done.stdout.fnmatch_lines(["*ImportError: sms.client is Twilio's SDK, which is not installed: pip install twilio. sms.api does without it."])


def test_a_gateway_can_be_kept_up_after_a_failure(project: pytest.Pytester, tmp_path: Path) -> None:
    project.makepyfile(
        """
        def test_it(sms):
            sms.phone("+14155550101").text("stop")
            assert False
        """
    )
    # By a signal of the terminal, which a run in the background may be told to ignore: its children then do, too.
    wakes = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--sms-keep"]
    running = subprocess.Popen(command, cwd=project.path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=wakes)
    assert running.stdout is not None
    said = []
    for line in running.stdout:
        said.append(line)
        if "The gateway is kept up" in line:
            break
    try:
        link = next(found.group() for found in map(re.compile(r"http://\S+/console/sign-in\?token=\w+").search, said) if found)
        assert 200 == httpx.get(link, follow_redirects=True, trust_env=False).status_code
        running.send_signal(signal.SIGINT)
        rest = running.communicate(timeout=30)[0]
    finally:
        running.kill()
    assert "1 failed" in rest
