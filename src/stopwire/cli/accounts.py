"""`stopwire account`: accounts of the gateway on this machine, by way of its data folder."""

from typing import Annotated

import typer

from stopwire.cli.operator import admin
from stopwire.cli.talk import Talk, local, talking

app = typer.Typer(no_args_is_help=True, help="Accounts; each is a stranger to the others.")


@app.command("create")
@local
def create(talk: Talk, name: Annotated[str, typer.Option(help="Its name.")]) -> None:
    """Make an account, and print its SID and auth token."""
    made = admin(talk, "create_account", name=name)
    talk.answer(made, lambda: talk.facts(made))


@app.command("list")
@local
def list_accounts(talk: Talk) -> None:
    """List the accounts."""
    found = admin(talk, "list_accounts")
    talk.answer(
        found,
        lambda: talk.table(
            ("sid", "name", "status"),
            ((account["account_sid"], account["name"], account["status"]) for account in found["accounts"]),
            empty="There is no account yet: make one with `stopwire account create --name NAME`.",
        ),
    )


@app.command("show")
@talking
def show(talk: Talk) -> None:
    """Show the account whose credentials are used, and its settings."""
    found = talk.client.account()
    talk.answer(found, lambda: talk.facts({**found, "url": talk.access.url, "credentials": talk.access.origin}))


@app.command("sign-in")
@local
def sign_in(talk: Talk, account: Annotated[str, typer.Option(help="SID of the account.  [default: the first]")] = "") -> None:
    """Print a link into the console of a running gateway; it is good once, for 15 minutes."""
    found = admin(talk, "sign_in", running=True, account=account)
    talk.answer(found, lambda: typer.echo(found["console_url"]))
