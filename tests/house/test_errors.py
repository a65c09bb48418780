"""The catalogue of errors beside the code: what answers a request is raised somewhere, or the page says what is instead."""

from pathlib import Path

from stopwire.core.errors import CATALOGUE, UNSAID

SOURCE = Path(__file__).parents[2] / "src" / "stopwire"
# They name codes and raise none: the catalogue, rehearsals with test credentials, other words for a code, ends of messages.
TELLING = {"core/errors.py", "core/magic.py", "core/outcomes.py", "smpp_server/translate.py"}


def test_each_code_that_answers_a_request_is_raised_or_says_what_is_instead() -> None:
    files = [path for path in SOURCE.rglob("*.py") if str(path.relative_to(SOURCE)) not in TELLING]
    raising = "".join(path.read_text() for path in files if "carriers" not in path.parts)
    unraised = {code for code, entry in CATALOGUE.items() if entry.status is not None and str(code) not in raising}
    assert unraised == set(UNSAID)
