"""Taking a block list in, a piece at a time."""

from stopwire.flows import ingest
from tests.gateway import Gateway


def rows(*numbers: int) -> list[ingest.ListedRow]:
    return [ingest.ListedRow(number=n, values={"recipient": f"+1415555{8000 + n}"}) for n in numbers]


def take(gateway: Gateway, id: str, piece: list[ingest.ListedRow]) -> ingest.Import:
    return gateway.run(
        ingest.take(gateway.world, account=gateway.account_sid, id=id, rows=piece, defaults=ingest.Defaults(), actor="test")
    )


def test_a_piece_that_comes_again_is_counted_once(gateway: Gateway) -> None:
    began = gateway.run(ingest.start(gateway.world, account=gateway.account_sid))
    take(gateway, began.id, rows(1, 2))
    assert take(gateway, began.id, rows(1, 2)).taken == 2
    assert take(gateway, began.id, rows(3)).rows == 3
    done = gateway.run(ingest.finish(gateway.world, account=gateway.account_sid, id=began.id))
    assert ("done", 3, 3, 0, 0) == (done.state, done.rows, done.taken, done.skipped, done.wrong)


def test_a_file_that_breaks_off_keeps_what_was_good_and_says_why_it_ended(gateway: Gateway) -> None:
    began = gateway.run(ingest.start(gateway.world, account=gateway.account_sid))
    take(gateway, began.id, rows(1))
    done = gateway.run(ingest.finish(gateway.world, account=gateway.account_sid, id=began.id, broken="It broke off."))
    assert ("failed", 2, 1) == (done.state, done.rows, done.wrong)
    found = gateway.http.get(f"/api/v1/imports/{began.id}/rows", params={"state": "wrong"}).json()["items"]
    assert [(2, "It broke off.")] == [(each["row"], each["error"]) for each in found]
