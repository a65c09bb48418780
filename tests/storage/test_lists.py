from dataclasses import replace

from stopwire.ports.store import Contact, Cut, Import, ImportRow, SafeNumber
from stopwire.storage.store import SqlTx
from tests.storage.values import ANN, NOW, A, later


def import_(number: int = 0) -> Import:
    return Import(id=f"IM{number}", account=A, state="queued", created_at=later(number), updated_at=NOW)


def test_a_contact_is_the_newest_that_was_put(tx: SqlTx) -> None:
    first = Contact(contact=ANN, country="US", zip_code="94105", updated_at=NOW)
    tx.lists.put_contacts([first])
    tx.lists.put_contacts([replace(first, zip_code=None, updated_at=later(1))])
    assert replace(first, zip_code=None, updated_at=later(1)) == tx.lists.contact(ANN)


def test_a_safe_number_keeps_its_sid(tx: SqlTx) -> None:
    for name in ("GN1", "GN2"):
        tx.lists.add_safe_number(SafeNumber(sid=name, number=ANN))
    assert SafeNumber(sid="GN1", number=ANN) == tx.lists.safe_number(ANN)
    assert [True, False] == [tx.lists.delete_safe_number(ANN) for _ in range(2)]


def test_imports_are_listed_newest_first(tx: SqlTx) -> None:
    for number in range(3):
        tx.lists.add_import(import_(number))
    done = replace(import_(1), state="done", rows=5, taken=3, skipped=1, wrong=1)
    tx.lists.save_import(done)
    assert done == tx.lists.import_("IM1")
    assert [import_(2), done] == tx.lists.imports(Cut(limit=2))
    assert [import_(0)] == tx.lists.imports(Cut(after="IM1"))


def test_only_what_runs_and_has_long_taken_nothing_is_idle(tx: SqlTx) -> None:
    running = replace(import_(0), state="running", updated_at=later(1))
    for each in (running, replace(import_(1), state="running", updated_at=later(3)), replace(import_(2), state="done", updated_at=later(1))):
        tx.lists.add_import(each)
    assert [running] == tx.lists.idle_imports(later(2))


def test_rows_of_a_chunk_taken_twice_are_kept_once(tx: SqlTx) -> None:
    rows = [ImportRow(row=n, recipient=ANN, state="taken") for n in range(1, 5)]
    rows[2] = ImportRow(row=3, recipient=None, state="wrong", error="no number")
    tx.lists.add_import_rows("IM1", rows[:3])
    tx.lists.add_import_rows("IM1", rows)
    assert rows[1:3] == tx.lists.import_rows("IM1", 1, 2)
    assert rows[3:] == tx.lists.import_rows("IM1", 3, 10)
