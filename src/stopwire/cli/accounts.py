"""`stopwire account`: accounts of the gateway on this machine, by way of its data folder; and the tokens of one's own."""

from typing import Annotated, Any

import typer

from stopwire.cli.operator import admin
from stopwire.cli.output import Exit, Failed
from stopwire.cli.talk import Talk, local, talking

app = typer.Typer(no_args_is_help=True, help="Accounts; each is a stranger to the others.")
tokens = typer.Typer(no_args_is_help=True, help="A second auth token, to change the token without an outage.")
app.add_typer(tokens, name="token")


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


@app.command("set")
@talking
def set_settings(
    talk: Talk, setting: Annotated[list[str], typer.Argument(help="As `stopwire account show` names them.", metavar="NAME=VALUE…")]
) -> None:
    """Change settings of the account, such as countries=US,CA, keep_bodies_days=396, keep_bodies_days= (for good) or legal_hold=true.

    What is older than a new number of days goes within the hour, and does not come back.
    """
    changed = talk.client.change_account(dict(_setting(each) for each in setting))
    for warning in changed.get("warnings", ()):
        talk.note(f"▲ {warning['message']}")
    talk.answer(changed, lambda: talk.facts({name: changed[name] for name, _ in map(_setting, setting)}))


def _setting(written: str) -> tuple[str, Any]:
    name, equals, value = written.partition("=")
    if not equals:
        raise Failed(f"“{written}” is no NAME=VALUE: write it like keep_bodies_days=396.", Exit.USAGE)
    if name.startswith("keep_"):
        return name, int(value) if value.isascii() and value.isdigit() else value or None
    if name == "countries":
        return name, value.replace(",", " ").split() or None
    plain: dict[str, Any] = {"null": None, "true": True, "false": False}
    return name, plain.get(value, value)


@app.command("sign-in")
@local
def sign_in(talk: Talk, account: Annotated[str, typer.Option(help="SID of the account.  [default: the first]")] = "") -> None:
    """Print a link into the console of a running gateway; it is good once, for 15 minutes."""
    found = admin(talk, "sign_in", running=True, account=account)
    talk.answer(found, lambda: typer.echo(found["console_url"]))


@tokens.command("create")
@talking
def create_token(talk: Talk) -> None:
    """Make a second token, which signs in like the first. It is shown this once."""
    made = talk.client.create_secondary_token()
    talk.answer(made, lambda: talk.facts({"secondary_auth_token": made["secondary_auth_token"]}))


@tokens.command("promote")
@talking
def promote_token(talk: Talk) -> None:
    """Make the second token the first. Whoever signs in with the old one is shut out at once.

    Webhooks are signed with the new one from now on; a gateway on this machine writes it into its credentials.json.
    """
    from stopwire.client import ClientError

    try:
        made = talk.client.promote_secondary_token()
    except ClientError as refusal:
        raise _none(refusal) from None
    talk.answer(made, lambda: talk.facts({"auth_token": made["auth_token"]}))


@tokens.command("remove")
@talking
def remove_token(talk: Talk) -> None:
    """Take the second token away. Whoever signs in with it is shut out at once."""
    from stopwire.client import ClientError

    try:
        talk.client.delete_secondary_token()
    except ClientError as refusal:
        raise _none(refusal) from None
    talk.answer({"deleted": True}, lambda: talk.line("The second token is removed."))


def _none(refusal: Exception) -> Exception:
    """What to say where there is no second token; any other refusal speaks for itself."""
    if getattr(refusal, "status", None) == 404:
        return Failed("There is no second auth token: make one with `stopwire account token create`.", Exit.NO)
    return refusal
