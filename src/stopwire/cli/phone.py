"""`stopwire phone`: a handset of the simulator in the terminal, and its network."""

import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stopwire.cli.output import Exit, Failed, clean
from stopwire.cli.talk import Talk, talking

if TYPE_CHECKING:
    from stopwire.client import Json

HANDSET = "+14155550101"
LOOK_SECONDS = 0.2
QUIET_SECONDS = 0.6  # after an answer, how long to look out for a second one
FATES = {"lost": "The network lost it.", "on_its_way": "It is on its way."}  # where a text did not arrive at once
HELP = (
    "/off, /on switch the handset; /to NUMBER writes to another sender; /quit ends.\n"
    "/delay SECONDS, /loss SHARE, /twice SHARE change its network (a share is from 0 to 1); /network tells how it is.\n"
    "A text that begins with a slash is sent with two."
)
NETWORK = {"/delay": "delay_seconds", "/loss": "loss", "/twice": "duplicates"}
KINDS = {"auto_reply": "automatic reply", "network": "from the network"}


@talking
def phone(
    talk: Talk,
    number: Annotated[str, typer.Argument(help="The handset's number; any E.164, also whatsapp:+….")] = HANDSET,
    to: Annotated[str | None, typer.Option(help="The sender it writes to.  [default: the first of the account]")] = None,
    text: Annotated[str | None, typer.Option(help="Send this, print what comes back, and end.")] = None,
    wait: Annotated[float, typer.Option(help="Seconds to wait for what comes back.")] = 2.0,
    media: Annotated[list[typer.FileBinaryRead] | None, typer.Option(help="Attach this file to --text.")] = None,
) -> None:
    """Hold a handset of the simulator: text your senders, and see what they answer.

    With --text it sends one message and ends. Without, lines you type are sent and what arrives is shown;
    Ctrl-D puts the handset away. A line with a slash is a command: /off, /on, /to NUMBER, /network, /help, /quit.
    """
    peer = to or _first_sender(talk, number)
    if text is not None:
        _once(talk, number, peer, text, wait, [_attached(file) for file in media or ()])
    elif talk.as_json:
        raise Failed("A conversation is not one JSON document: give --text with --json.", Exit.USAGE)
    else:
        _converse(talk, number, peer, wait)


def _once(talk: Talk, number: str, peer: str, text: str, wait: float, media: "list[Json]") -> None:
    sent = talk.client.text(number, to=peer, body=text, **({"media": media} if media else {}))
    came = _await_answers(talk, number, peer, sent["id"], wait)

    def human() -> None:
        talk.line(f"› {text}", "cyan")
        for message in came:
            talk.line(_line(message))
        if sent["fate"] in FATES:
            talk.line(FATES[sent["fate"]], "dim")
        elif wait and not came:
            talk.line(f"Nothing came back within {wait:g} s.", "dim")

    talk.answer({"sent": sent, "received": came}, human)


def _await_answers(talk: Talk, number: str, peer: str, after: str, wait: float) -> "list[Json]":
    """What the handset receives from `peer` after a message, until `wait` is over or it has been quiet a while."""
    came: list[Json] = []
    until = time.monotonic() + wait
    while True:
        for message in talk.client.conversation(number, after=after):
            after = message["id"]
            if message["direction"] == "in" and message["peer"] == peer:
                came.append(message)
                until = min(until, time.monotonic() + QUIET_SECONDS)
        left = until - time.monotonic()
        if left <= 0:
            return came
        time.sleep(min(LOOK_SECONDS, left))


def _converse(talk: Talk, number: str, peer: str, wait: float) -> None:
    """Lines typed are sent; what arrives is shown as it comes."""
    live = sys.stdin.isatty() and sys.stdout.isatty()
    earlier = talk.client.conversation(number)
    if live:
        talk.line(f"{number}, writing to {peer}. A line is a message; /help lists what else there is; Ctrl-D ends.", "dim")
        for message in earlier[-10:]:
            talk.line(_line(message), "dim")
    watcher = _Watcher(talk, number, earlier[-1]["id"] if earlier else None, prompt="› " if live else "")
    watcher.start()
    hand = _Hand(talk, number, peer)
    try:
        while (line := _typed("› " if live else "")) is not None:
            told = hand.typed(line)
            if told is None:
                break
            for each in told:
                talk.line(each, "dim")
            if hand.expects and not live:
                watcher.settle(wait)
    finally:
        watcher.stop()


class _Hand:
    """What is done with the handset: a line is a text, or a command where it begins with one slash."""

    def __init__(self, talk: Talk, number: str, peer: str) -> None:
        self._talk, self._number, self._peer = talk, number, peer
        self.expects = False  # an answer, or a text that waited, after the last line

    def typed(self, line: str) -> list[str] | None:
        """What there is to say about it; None: the handset is put away."""
        from stopwire.client import ClientError

        self.expects = False
        word, _, rest = line.strip().partition(" ")
        if word == "/quit":
            return None
        try:
            if word.startswith("/") and not word.startswith("//"):
                return self._command(word, rest.strip())
            return self._text(line[1:] if word.startswith("//") else line) if word else []
        except ClientError as error:
            if error.status not in (409, 422):
                raise
            return [f"! {error.detail or error.title}"]  # wrong is this line only; the next may be better

    def _text(self, body: str) -> list[str]:
        sent = self._talk.client.text(self._number, to=self._peer, body=body)
        self.expects = sent["fate"] == "arrived"
        return [FATES[sent["fate"]]] if sent["fate"] in FATES else []

    def _command(self, word: str, rest: str) -> list[str]:
        client = self._talk.client
        if word in ("/off", "/on"):
            self.expects = word == "/on" and client.phone(self._number)["waiting"] > 0
            return _network(client.change_phone(self._number, on=word == "/on"))
        if word == "/network":
            return _network(client.phone(self._number))
        if word in NETWORK:
            try:
                return _network(client.change_phone(self._number, **{NETWORK[word]: float(rest)}))
            except ValueError:
                return [f"! {word} wants a number: {word} 0.5"]
        if word == "/to" and rest:
            self._peer = rest
            return [f"Writing to {rest}."]
        return HELP.split("\n") if word == "/help" else [f"! {word} is no command.", *HELP.split("\n")]


def _network(phone: "Json") -> list[str]:
    """How the network reaches the handset, in sentences."""
    told = ["Switched on." if phone["on"] else "Switched off: texts to it wait, and nothing is reported of them."]
    if phone["delay_seconds"]:
        told.append(f"Texts arrive {phone['delay_seconds']:g} s late.")
    if phone["loss"]:
        told.append(f"{phone['loss']:.0%} of the texts get lost.")
    if phone["duplicates"]:
        told.append(f"{phone['duplicates']:.0%} of what it sends comes twice.")
    if phone["waiting"]:
        told.append(f"Texts that wait for it: {phone['waiting']}.")
    return [" ".join(told)]


def _typed(prompt: str) -> str | None:
    try:
        return input(prompt)
    except (EOFError, KeyboardInterrupt):
        return None


class _Watcher(threading.Thread):
    """Looks for what arrives at a handset and prints it above the line that is being typed."""

    def __init__(self, talk: Talk, number: str, after: str | None, *, prompt: str) -> None:
        super().__init__(daemon=True)
        self._talk, self._number, self._after, self._prompt = talk, number, after, prompt
        self._over = threading.Event()
        self._arrived = threading.Event()

    def run(self) -> None:
        from stopwire.client import ClientError, Unreachable

        told: Callable[[str], None] = self._print
        while not self._over.is_set():
            try:
                self._look(told)
            except (ClientError, Unreachable) as error:
                told(f"! {error}")
                self._over.wait(2)
            self._over.wait(LOOK_SECONDS)

    def _look(self, told: Callable[[str], None]) -> None:
        for message in self._talk.client.conversation(self._number, after=self._after):
            self._after = message["id"]
            if message["direction"] == "in":
                told(_line(message))
                self._arrived.set()

    def _print(self, line: str) -> None:
        clear = "\r\x1b[K" if self._prompt else ""
        sys.stdout.write(f"{clear}{clean(line)}\n{self._prompt}")
        sys.stdout.flush()

    def settle(self, seconds: float) -> None:
        """Wait for an answer, and a moment more."""
        if self._arrived.wait(seconds):
            self._over.wait(min(seconds, QUIET_SECONDS))
        self._arrived.clear()

    def stop(self) -> None:
        self._over.set()
        self.join(timeout=5)


def _line(message: "Json") -> str:
    if message["direction"] == "out":
        return f"› {message['body']}"
    kind = KINDS.get(message.get("kind", ""), "")
    return f"‹ {message['peer']}: {message['body']}" + (f"  ({kind})" if kind else "")


def _first_sender(talk: Talk, number: str) -> str:
    channel = "whatsapp" if number.startswith("whatsapp:") else None
    for sender in talk.client.senders():
        if (sender["kind"] == "whatsapp") == (channel is not None) and sender["kind"] != "alphanumeric":
            return str(sender["address"])
    raise Failed("The account has no sender that this handset could write to: name one with --to.", Exit.NO)


def _attached(file: Any) -> "Json":
    import base64
    import mimetypes

    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return {"content_type": kind, "base64": base64.b64encode(file.read()).decode()}
