"""A balance import from its file to the ledger and back: uploaded, rehearsed, started, carried out, taken back."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

import pytest

from credits.models import CreditLot, CreditMovement
from loyalty.core.errors import Invalid, NotFound
from loyalty.jobs.periodic import run_job
from loyalty.journal.models import JournalEntry
from loyalty.ledger.balances import balances, balances_at
from loyalty.ledger.posting import post
from loyalty.ledger.settle import claw_back
from loyalty.privacy.erase import erase_customers
from loyalty.stores.actors import Act
from loyalty.stores.models import Customer, Remark, Store
from orders.kinds import LEDGERS
from orders.models import BalanceImport, BalanceImportPart, BalanceImportRow, ImportState, Redemption
from orders.services.balance_imports.jobs import JOB
from orders.services.balance_imports.layouts.read import read_rows
from orders.services.balance_imports.prune import discard, prune
from orders.services.balance_imports.rehearsal import rehearse as rehearse_module
from orders.services.balance_imports.rehearsal.rehearse import rehearse, start_reading
from orders.services.balance_imports.rows import Row
from orders.services.balance_imports.start import NothingToImport, Told, TotalsDiffer, start
from orders.services.balance_imports.stored_file import stored_file
from orders.services.balance_imports.take_back import CannotTakeBack, take_back
from orders.services.balance_imports.upload import PartDiffers, PartOutOfOrder, add_part, begin
from orders.services.customers.forget_files import forget_files
from points.models import PointLot, PointMovement
from tests import factories
from tests.balance_imports import HEADER, carried_out, rehearsed, uploaded
from tests.books import find_faults

pytestmark = pytest.mark.django_db

NOW = factories.NOW
ACTOR = factories.ACTOR


def problems(held: BalanceImport) -> list[tuple[int, str]]:
    rows = BalanceImportRow.unscoped.filter(balance_import=held).exclude(problem="").order_by("position", "part")
    return list(rows.values_list("position", "problem"))


def test_a_file_becomes_customers_and_lots(store: Store) -> None:
    held = carried_out(
        store,
        HEADER
        + "7,ann@example.org,Ann,credits,50.00,USD,2025-03-01,2026-12-31,Birthday,L-1\n"
        + "7,ann@example.org,Ann,points,300,,2025-03-01,,,L-2\n"
        + ",bob@example.org,Bob,credits,5,EUR,,,,\n"
        + ",zoe@example.org,Zoe,,,,,,,\n",
    )
    assert held.state == ImportState.DONE
    assert problems(held) == []
    ann = Customer.unscoped.get(external_id="7")
    lot = CreditLot.unscoped.get(customer=ann)
    assert (lot.granted, lot.remaining, lot.currency, lot.origin) == (50, 50, "USD", "imported")
    assert lot.granted_at == datetime(2025, 2, 28, 16, tzinfo=UTC)
    assert lot.expires_at == datetime(2026, 12, 31, 16, tzinfo=UTC)
    movement = CreditMovement.unscoped.get(lot=lot)
    assert (movement.type, movement.trigger, movement.actor) == ("grant", "import", ACTOR.ref)
    assert Remark.unscoped.get(pk=movement.remark_id).reason == "Birthday"
    assert PointLot.unscoped.get(customer=ann).remaining == 300
    assert Customer.unscoped.filter(email="zoe@example.org").exists()
    assert held.result["totals"] == held.summary["totals"]
    assert held.summary["totals"] == [
        {"kind": "credits", "currency": "EUR", "month": None, "lots": 1, "amount": "5"},
        {"kind": "credits", "currency": "USD", "month": "2026-12", "lots": 1, "amount": "50"},
        {"kind": "points", "currency": "", "month": None, "lots": 1, "amount": "300"},
    ]
    assert [e.event for e in JournalEntry.unscoped.order_by("pk")] == ["import.started", "import.done"]
    assert find_faults(None) == []


def test_the_same_file_and_the_same_reference_change_nothing(store: Store) -> None:
    text = HEADER + "7,ann@example.org,Ann,credits,50,USD,,,,L-1\n8,,Bob,points,10,,,,,\n"
    carried_out(store, text)
    again = rehearsed(store, text)
    assert problems(again) == [(2, "already"), (3, "already")]
    with pytest.raises(NothingToImport):
        start(store=store, import_id=again.pk, told=[], reason="Again", actor=ACTOR, now=NOW)
    other = carried_out(store, HEADER + "7,,Ann,credits,50,USD,,,,L-1\n7,,Ann,credits,1,USD,,,,L-2\n")
    assert problems(other) == [(2, "already")]
    assert [lot.granted for lot in CreditLot.unscoped.order_by("pk")] == [50, 1]
    assert PointLot.unscoped.count() == 1


def test_what_another_import_wrote_since_the_rehearsal_is_left_out(store: Store) -> None:
    text = HEADER + "7,ann@example.org,Ann,credits,50,USD,,,,L-1\n8,,Bob,points,10,,,,,L-2\n"
    held = rehearsed(store, text)
    carried_out(store, text + "9,,Cid,points,5,,,,,L-3\n")
    start(store=store, import_id=held.pk, told=[], reason="Again", actor=ACTOR, now=NOW)
    run_job(JOB, NOW)
    held.refresh_from_db()
    assert (held.state, problems(held)) == ("done", [(2, "already"), (3, "already")])
    assert CreditLot.unscoped.count() == 1
    assert sorted(PointLot.unscoped.values_list("granted", flat=True)) == [5, 10]


def test_a_reference_that_comes_again_is_the_first_row_s(store: Store) -> None:
    text = HEADER + "7,,Ann,points,1,,,,,L\n8,,Bob,points,2,,,,,L\n7,,Ann,credits,3,USD,,,,L\n9,,Cid,points,4,,,,,L\n"
    assert problems(rehearsed(store, text)) == [(3, "repeated"), (5, "repeated")]


def test_rows_say_why_they_are_not_imported(store: Store) -> None:
    twins = [factories.make_customer(store, email="Twin@example.org") for _ in range(2)]
    held = rehearsed(
        store,
        HEADER
        + "1,,A,credits,ten,USD,,,,\n"
        + "1,,A,credits,-1,USD,,,,\n"
        + "1,,A,credits,1.234,USD,,,,\n"
        + "1,,A,points,1.5,,,,,\n"
        + "1,,A,credits,1,XXX,,,,\n"
        + ",,A,credits,1,USD,,,,\n"
        + "1,,A,credits,1,USD,2999-01-01,,,\n"
        + "1,,A,credits,1,USD,,2099-01-01,,\n"
        + "1,,A,credits,1,USD,,2026-01-04,,\n"
        + ",twin@example.org,A,credits,1,USD,,,,\n"
        + "1,,A,credits,1,USD,,,,R\n"
        + "1,,A,credits,2,USD,,,,R\n"
        + "1,,A,stars,2,USD,,,,R\n"
        + "1,nobody,A,credits,2,USD,2026-02-31,,,\n"
        + "1,,A,credits,2,USD,,,,,more\n",
    )
    assert problems(held) == [
        (2, "no-number"), (3, "not-positive"), (4, "too-fine"), (5, "too-fine"), (6, "no-currency"), (7, "nobody"),
        (8, "in-the-future"), (9, "too-far"), (10, "expired"), (11, "several-people"), (13, "repeated"),
        (14, "no-kind"), (15, "no-day"), (16, "columns"),
    ]  # fmt: skip
    assert (held.summary["rows"], held.summary["bad_rows"], held.items) == (15, 13, 1)
    assert len(twins) == 2


def test_one_person_is_one_customer(store: Store) -> None:
    """O7: rows with a number and rows with an address alone are one person, unless the address is several people's."""
    known = factories.make_customer(store, email="Old@Example.org", name="")
    held = carried_out(
        store,
        HEADER
        + ",ann@example.org,,credits,1,USD,,,,\n"
        + "7,Ann@example.org,Ann,credits,2,USD,,,,\n"
        + ",old@example.org,Olga,credits,3,USD,,,,\n"
        + "8,two@example.org,Two,credits,4,USD,,,,\n"
        + "9,two@example.org,Three,credits,5,USD,,,,\n"
        + ",two@example.org,Who,credits,6,USD,,,,\n",
    )
    assert problems(held) == [(7, "several-people")]
    assert held.summary["alike"] == [["two@example.org", 2, 5]]
    assert (held.summary["people"], held.summary["known"]) == (4, 1)
    known.refresh_from_db()
    assert known.name == "Olga"
    lots = {customer.pk: sorted(CreditLot.unscoped.filter(customer=customer).values_list("granted", flat=True))
            for customer in Customer.unscoped.all()}  # fmt: skip
    assert lots[known.pk] == [3]
    assert lots[Customer.unscoped.get(external_id="7").pk] == [1, 2]


def test_totals_agree_or_somebody_says_why_not(store: Store) -> None:
    held = rehearsed(store, HEADER + "7,,Ann,credits,50,USD,,,,\n7,,Ann,points,9,,,,,\n")
    told = [Told("credits", "USD", Decimal("50.00")), Told("points", "", Decimal(8))]
    with pytest.raises(TotalsDiffer):
        start(store=store, import_id=held.pk, told=told, actor=ACTOR, now=NOW)
    with pytest.raises(TotalsDiffer):
        start(store=store, import_id=held.pk, told=told[:1], actor=ACTOR, now=NOW)
    begun = start(store=store, import_id=held.pk, told=told, reason="One was rounded", actor=ACTOR, now=NOW)
    assert (begun.state, begun.remark.reason) == ("running", "One was rounded")
    entry = JournalEntry.unscoped.get(event="import.started")
    assert (entry.remark_id, entry.data["told"][1]["amount"]) == (begun.remark_id, "8")


HISTORY = "external_id,kind,amount,currency,past_type,past_at,expires_on,reason\n"


def test_the_old_history_is_movements_of_closed_lots(store: Store) -> None:
    held = carried_out(
        store,
        HISTORY
        + "7,points,100,,granted,2025-01-10T10:00:00Z,,Welcome\n"
        + "7,points,-30,,spent,2025-02-10T10:00:00Z,,Order 11\n"
        + "7,points,50,,granted,2025-03-10T10:00:00Z,,\n"
        + "7,points,-70,,expired,2025-04-10T10:00:00Z,,\n"
        + "7,points,50,,,,2026-12-31,\n"
        + "8,points,-1,,spent,2025-02-10T10:00:00Z,,\n"
        + "8,points,5,,granted,2025-02-11T10:00:00Z,,\n",
    )
    assert problems(held) == [(7, "history-below-zero"), (8, "history-incomplete")]
    ann = Customer.unscoped.get(external_id="7")
    movements = PointMovement.unscoped.filter(customer=ann).order_by("pk")
    assert [(m.type, m.amount, m.balance_after) for m in movements] == [
        ("grant", 100, 100), ("adjust", -30, 70), ("grant", 50, 120), ("expire", -70, 50), ("adjust", -50, 0),
        ("grant", 50, 50),
    ]  # fmt: skip
    at = {moment: balances_at(LEDGERS["points"], ann, instant=datetime(2025, *moment, tzinfo=UTC)) for moment in
          ((1, 11), (2, 11), (3, 11), (5, 1))}  # fmt: skip
    assert [found[""].available for found in at.values()] == [100, 70, 120, 50]
    assert balances(LEDGERS["points"], ann, now=NOW)[""].available == 50
    assert find_faults(None) == []


def test_r7_an_open_code_is_points_spent(store: Store) -> None:
    text = "email,code,points,value,currency,expires_on\nann@example.org,SAVE-5,500,5,USD,2026-06-30\n"
    held = carried_out(store, text)
    code = Redemption.unscoped.get(code="SAVE-5")
    assert (code.state, code.points, code.value, code.currency) == ("claimed", 500, 5, "USD")
    assert balances(LEDGERS["points"], code.customer, now=NOW) == {}
    assert held.result["codes"] == 1
    assert problems(rehearsed(store, text)) == [(2, "already")]
    assert find_faults(None) == []


def back(store: Store, held: BalanceImport, *, now: datetime = NOW) -> BalanceImport:
    take_back(store=store, import_id=held.pk, actor=ACTOR, now=now)
    run_job(JOB, now)
    held.refresh_from_db()
    return held


def test_an_import_goes_back_as_a_whole_and_can_come_again(store: Store) -> None:
    text = (
        "external_id,kind,amount,expires_on,code,points,value,currency,reference\n"
        "7,points,100,,,,,,P\n7,credits,5,2026-01-06,,,,USD,C\n7,,,,SAVE,50,10,,\n"
    )
    held = carried_out(store, text)
    later = NOW + timedelta(days=3)
    held = back(store, held, now=later)
    assert (held.state, held.failure) == ("taken_back", "")
    assert PointLot.unscoped.filter(remaining__gt=0).count() == 0
    assert CreditMovement.unscoped.latest("pk").type == "expire"
    assert Redemption.unscoped.get().state == "reversed"
    assert find_faults(None) == []
    again = carried_out(store, text.replace("2026-01-06", "2026-12-31"), now=later)
    assert problems(again) == [(4, "code-repeated")]
    assert PointLot.unscoped.get(remaining__gt=0).granted == 100


def test_what_was_spent_stands_in_the_way(store: Store) -> None:
    held = carried_out(store, HEADER + "7,,Ann,credits,50,USD,,,,\n8,,Bob,credits,50,USD,,,,\n")
    ann = Customer.unscoped.get(external_id="7")
    order = factories.make_order(ann, credits="10", now=NOW)
    with pytest.raises(CannotTakeBack) as refused:
        take_back(store=store, import_id=held.pk, actor=ACTOR, now=NOW)
    (obstacle,) = refused.value.obstacles
    assert (obstacle.customer, obstacle.order_number, obstacle.what) == ("Ann", order.number, "spend")
    assert refused.value.count == 1


def test_what_is_spent_while_it_goes_back_stops_it(store: Store) -> None:
    held = carried_out(store, HEADER + "7,,Ann,credits,50,USD,,,,\n8,,Bob,credits,50,USD,,,,\n")
    take_back(store=store, import_id=held.pk, actor=ACTOR, now=NOW)
    factories.make_order(Customer.unscoped.get(external_id="8"), credits="10", now=NOW)
    run_job(JOB, NOW)
    held.refresh_from_db()
    assert held.state == "done"
    assert "used or changed" in held.failure
    assert CreditLot.unscoped.filter(remaining=50).count() == 1


def test_files_go_after_a_month_and_what_came_of_them_stays(store: Store) -> None:
    held = carried_out(store, HEADER + "7,ann@example.org,Ann,credits,1,USD,,,,\n")
    left = rehearsed(store, HEADER + "8,,Bob,credits,1,USD,,,,\n")
    assert prune(NOW + timedelta(days=29)) == {"import_rows": 0}
    assert prune(NOW + timedelta(days=31)) == {"import_rows": 2}
    assert not BalanceImport.unscoped.filter(pk=left.pk).exists()
    assert not BalanceImportPart.unscoped.exists()
    again = rehearsed(store, HEADER + "7,ann@example.org,Ann,credits,1,USD,,,,\n")
    assert problems(again) == [(2, "already")]
    assert BalanceImport.unscoped.get(pk=held.pk).state == "done"


def test_who_is_erased_is_in_no_file_and_no_reason(store: Store) -> None:
    held = carried_out(store, HEADER + "7,ann@example.org,Ann,credits,1,USD,,,Sorry Ann,\n")
    customer = Customer.unscoped.get()
    forget_files(store)
    erase_customers(store=store, customer_ids=[customer.pk], actor=ACTOR, now=NOW)
    assert not BalanceImportRow.unscoped.filter(balance_import=held).exists()
    assert not Remark.unscoped.filter(reason="Sorry Ann").exists()


class TestParts:
    """A file comes in parts, in order, each once."""

    def begun(self, store: Store, content: bytes, **more: str) -> BalanceImport:
        return begin(store=store, file_name="x.csv", size=len(content), actor=ACTOR, now=NOW, **more)

    def send(self, held: BalanceImport, number: int, content: bytes) -> BalanceImport:
        return add_part(store=held.store, import_id=held.pk, number=number, content=content, now=NOW)

    def test_in_order_and_once(self, store: Store) -> None:
        held = self.begun(store, b"abcdef", sha256=hashlib.sha256(b"abcdef").hexdigest())
        with pytest.raises(PartOutOfOrder):
            self.send(held, 2, b"def")
        assert self.send(held, 1, b"abc").received == 3
        assert self.send(held, 1, b"abc").received == 3
        with pytest.raises(PartDiffers):
            self.send(held, 1, b"xyz")
        with pytest.raises(Invalid):
            self.send(held, 2, b"defg")
        with pytest.raises(Invalid):
            self.send(held, 2, b"")
        held = self.send(held, 2, b"def")
        assert held.state == "uploaded"
        with stored_file(held) as file:
            assert (file.read(4), file.seek(-2, 2), file.read(), file.seek(1), file.read(3)) == (
                b"abcd", 4, b"ef", 1, b"bcd",
            )  # fmt: skip

    def test_a_damaged_file_says_so(self, store: Store) -> None:
        held = self.send(self.begun(store, b"abc", sha256="0" * 64), 1, b"abc")
        assert held.state == "failed"
        assert "did not arrive" in held.failure

    def test_sizes_and_digests_that_cannot_be(self, store: Store) -> None:
        wrong = ((0, "", "is empty"), (10**9, "", "at most 300 MB"), (5, "Z" * 64, "64 characters"))
        for size, sha256, said in wrong:
            with pytest.raises(Invalid, match=said):
                begin(store=store, file_name="x", size=size, sha256=sha256, actor=ACTOR, now=NOW)


def test_a_file_that_is_no_table_says_so(store: Store) -> None:
    assert "No column says who somebody is" in rehearsed(store, "a,b\n1,2\n").failure
    held = rehearsed(store, "email\nann@example.org\n")
    assert (held.state, held.items) == ("rehearsed", 1)


def test_whoever_was_killed_while_reading_is_followed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are kept once, wherever reading broke off; somebody who reads now is left alone."""
    monkeypatch.setattr(rehearse_module, "BATCH", 1)
    monkeypatch.setattr(rehearse_module, "BATCHES", 2)
    text = HEADER + "".join(f"{number},,P,points,{number},,,,,\n" for number in range(1, 8))
    held = start_reading(store=store, import_id=uploaded(store, text).pk, layout={}, now=NOW)
    whole = read_rows

    def breaks_off(*about: Any) -> Iterator[Row]:
        yield from islice(whole(*about), 4)
        raise KeyboardInterrupt

    monkeypatch.setattr(rehearse_module, "read_rows", breaks_off)
    with pytest.raises(KeyboardInterrupt):
        rehearse(held.pk, store, lambda: NOW)
    monkeypatch.setattr(rehearse_module, "read_rows", whole)
    assert rehearse(held.pk, store, lambda: NOW) == 0
    assert rehearse(held.pk, store, lambda: NOW + timedelta(seconds=20)) == 3
    held.refresh_from_db()
    assert (held.state, held.items, held.summary["totals"][0]["amount"]) == ("rehearsed", 7, "28")


def test_t1_another_store_has_no_such_import(store: Store) -> None:
    held = rehearsed(store, HEADER + "7,,Ann,credits,1,USD,,,,\n")
    other = factories.make_store()
    for verb in (
        lambda: start(store=other, import_id=held.pk, told=[], reason="x", actor=ACTOR, now=NOW),
        lambda: take_back(store=other, import_id=held.pk, actor=ACTOR, now=NOW),
        lambda: discard(store=other, import_id=held.pk),
        lambda: start_reading(store=other, import_id=held.pk, layout={}, now=NOW),
    ):
        with pytest.raises(NotFound):
            verb()
    discard(store=store, import_id=held.pk)
    assert not BalanceImportRow.unscoped.exists()


def test_rows_without_a_reference_that_seem_to_have_come_before_are_counted(store: Store) -> None:
    """Another export of the same balances has other bytes, and nothing by which to tell."""
    head = "external_id,email,kind,amount,currency,reference\n"
    carried_out(store, head + "7,ann@example.org,credits,50,USD,\n8,,points,10,,\n9,,points,5,,\n")
    other = factories.make_store()
    again = head + ",Ann@example.org,credits,50.00,USD,\n8,,points,10,,R-1\n9,,points,6,,\n10,,points,5,,\n"
    assert rehearsed(store, again).summary["brought_before"] == 1
    assert rehearsed(other, again).summary["brought_before"] == 0


def test_rows_that_say_the_same_without_a_reference_are_counted_and_imported(store: Store) -> None:
    """They may be two balances of one day: whoever starts the import is told in which rows they stand."""
    head = "external_id,email,kind,amount,currency,expires_on,reason,reference\n"
    same = ["7,,points,10,,,,", "7,ann@example.org,points,10.0,,,,", "7,,points,10,,,,"]
    others = ["7,,points,11,,,,", "8,,points,10,,,,", "7,,points,10,,2030-12-31,,", "7,,points,10,,,Birthday,"]
    named = ["7,,credits,10,USD,,,A", "7,,credits,10,USD,,,B", "7,,credits,10,EUR,,,"]
    held = rehearsed(store, head + "\n".join([*same, *others, *named]) + "\n")
    assert (held.summary["same_again"], held.summary["bad_rows"]) == (2, 0)
    told = BalanceImportRow.unscoped.exclude(said="").order_by("position").values_list("position", "said", "problem")
    assert list(told) == [(3, "2", ""), (4, "2", "")]
    start(store=store, import_id=held.pk, told=[], reason="Counted", actor=ACTOR, now=NOW)
    run_job(JOB, NOW)
    assert PointLot.unscoped.filter(granted=10, expires_at=None).count() == 5


def test_a_row_that_is_left_out_says_why_and_not_that_another_is_the_same(store: Store) -> None:
    head = "external_id,points,credits,currency\n"
    held = rehearsed(store, head + "7,10,1,USD\n7,10,x,USD\n7,10,1,USD\n")
    assert (held.summary["same_again"], held.summary["bad_rows"]) == (1, 1)
    assert held.summary["items"] == 4


def test_a_file_that_is_read_by_its_columns_names_keeps_what_they_said(store: Store) -> None:
    held = rehearsed(store, "Customer ID,E-mail,Points\n7,ann@example.org,10\n")
    assert held.layout["columns"] == {"external_id": "Customer ID", "email": "E-mail", "points": "Points"}


def test_c1_imported_points_settle_what_is_owed(store: Store) -> None:
    ann = factories.make_customer(store, external_id="7")
    entry = claw_back(store.pk, ann.pk, -30, lot_id=None)
    points = LEDGERS["points"].tables
    post(points, [entry], customer_ids=[ann.pk], act=Act(ACTOR, "admin", NOW))
    carried_out(store, HEADER + "7,,Ann,points,20,,,,,\n7,,Ann,points,20,,,,,\n8,,Bob,points,20,,,,,\n")
    assert list(PointLot.unscoped.order_by("pk").values_list("remaining", flat=True)) == [0, 10, 20]
    assert find_faults(None) == []
