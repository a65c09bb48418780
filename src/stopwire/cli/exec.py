"""`stopwire exec`: run a program that speaks to Twilio, unchanged, against this gateway."""

import asyncio
import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from stopwire.cli.output import Exit, Failed
from stopwire.cli.talk import Talk, talking


@talking
def exec_(
    talk: Talk, command: Annotated[list[str], typer.Argument(help="The program and its arguments.", metavar="COMMAND…")]
) -> None:
    """Run a program whose calls to Twilio reach the gateway instead: stopwire exec -- python app.py

    It is given TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN of the account, a proxy on this machine that answers for
    api.twilio.com and its siblings, and a certificate authority of this run only. Other hosts are reached as ever; other
    products of Twilio's are refused, so that nothing goes there by mistake. Ends as the program ends.
    """
    from stopwire.compat import proxy

    talk.client.account()  # said now, rather than by the program as a puzzle
    access, noted = talk.access, set[str]()
    if not access.account_sid.startswith("AC"):
        raise Failed("A program needs the account's SID and auth token, and this is an API key: give --account AC… and --token.", Exit.USAGE)

    def note(says: str) -> None:
        if says not in noted:
            noted.add(says)
            print(f"stopwire exec: {says}", file=sys.stderr)

    now = datetime.now(UTC)  # noqa: TID251  # the certificates of this run are valid from now on
    running = proxy.run(
        command, gateway=access.url, account_sid=access.account_sid, auth_token=access.auth_token, note=note, now=now
    )
    try:
        code = asyncio.run(running)
    except OSError as fault:
        raise Failed(f"{command[0]} cannot be run: {fault.strerror or fault}.", Exit.USAGE) from None
    raise typer.Exit(code)
