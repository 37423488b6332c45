"""Points given and removed by a table (R6, L6)."""

from datetime import date

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from loyalty.core.errors import Invalid
from loyalty.ledger.staff_limits import Adjuster, left_today
from loyalty.store_settings.sections import LimitSettings, PointsExpirySettings, StoreSettings
from loyalty.stores.models import Customer, Role, Store
from points.models import PointLot, PointMovement
from points.sheets import MOST_ROWS, Desk, Line, SheetStale, carry_out_sheet, check_sheet, digest_of, read_sheet
from tests import factories
from tests.books import find_faults
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana(store: Store) -> Customer:
    return factories.make_customer(store, email="Ana@example.org", external_id="A-1")


def desk(store: Store, role: Role = Role.MANAGER, **settings: object) -> Desk:
    chosen = StoreSettings(**settings)  # type: ignore[arg-type]
    return Desk(Adjuster(store, factories.make_user((store, role)), role, chosen.limits), chosen)


def check(store: Store, text: str, role: Role = Role.MANAGER) -> list[Line]:
    return check_sheet(read_sheet(text), desk=desk(store, role), now=NOW)


def carry_out(store: Store, text: str) -> list[Line]:
    rows, by = read_sheet(text), desk(store)
    return carry_out_sheet(rows, shown=digest_of(check_sheet(rows, desk=by, now=NOW)), desk=by, now=NOW)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_r6_a_table_is_read_however_its_columns_are_parted(store: Store, ana: Customer, separator: str) -> None:
    text = "\ufeffPoints,Customer,Reason\r\n+100, ana@EXAMPLE.org ,Birthday\r\n".replace(",", separator)
    (line,) = check(store, text)
    assert (line.customer, line.points, line.last_day, line.error) == (ana, 100, None, "")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no column customer"),
        ("customer,points\nx,1\n", "has no column reason"),
        ("customer,points,reason,colour\nx,1,y,red\n", "is not known: colour"),
        ("customer,points,reason\n", "1 to 500 rows"),
        ("customer,points,reason,points\nx,1,y,900\n", "names points twice"),
        ("customer,points,reason\nx,1,a\rb\n", "not a table"),
        (f"customer,points,reason\nx,1,{'a' * 140_000}\n", "not a table"),
        ("customer,points,reason\nx,1,a\x00b\n", "NUL"),
        ("customer,points,reason\n" + "a,1,b\n" * (MOST_ROWS + 1), "1 to 500 rows"),
    ],
)
def test_r6_what_is_no_table_is_refused(text: str, words: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_sheet(text)
    assert words in refused.value.errors[0].detail


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("nobody@example.org,1,x", "No customer"),
        (",1,x", "No customer"),
        ("A-1,1,", "reason"),
        ("A-1,0,x", "whole number"),
        ("A-1,1.5,x", "whole number"),
        ("A-1,²,x", "whole number"),
        ("A-1,-1,x", "0 points by then"),
        ("A-1,5,x,2026-01-04", "before today"),
        ("A-1,5,x,9999-12-31", "ten years"),
        ("A-1,-+5,x", "whole number"),
        ("A-1,+,x", "whole number"),
        (f"A-1,{'9' * 5000},x", "whole number"),
        (f"{'a' * 130_000},1,x", "longer than"),
        ("A-1,5,x,soon", "2027-12-31"),
        ("A-1,-5,x,2027-01-01", "Only points that are given"),
    ],
)
def test_r6_each_row_says_what_is_wrong_with_it(store: Store, ana: Customer, row: str, words: str) -> None:
    first, good = check(store, f"customer,points,reason,expires_on\n{row}\nA-1,7,fine\n")
    assert words in first.error
    assert (good.error, good.points) == ("", 7)


def test_r6_a_note_is_no_longer_than_on_the_form(store: Store, ana: Customer) -> None:
    (line,) = check(store, f"customer,points,reason,note\nA-1,5,x,{'n' * 2001}\n")
    assert "2,000 letters" in line.error


def test_t1_other_stores_customers_are_unknown(store: Store, ana: Customer) -> None:
    (line,) = check(factories.make_store(), "customer,points,reason\nA-1,1,x\n")
    assert line.error.startswith("No customer")


def test_r6_who_is_meant_must_be_clear(store: Store, ana: Customer) -> None:
    factories.make_customer(store, email="ana@example.org", external_id="A-2")
    assert "More than one" in check(store, "customer,points,reason\nana@example.org,1,x\n")[0].error
    assert check(store, "customer,points,reason\na-1,1,x\nA-2,1,x\n")[1].error == ""


def test_r6_rows_count_on_those_before_them(store: Store, ana: Customer) -> None:
    text = "customer,points,reason\nA-1,100,x\nA-1,-60,x\nA-1,-60,x\nA-1,-40,x\n"
    assert [bool(line.error) for line in check(store, text)] == [False, False, True, False]
    carry_out(store, text)
    assert factories.balance("points", ana, now=NOW) == 0
    assert find_faults(store) == []


def test_t7_the_rows_of_a_table_count_together_whomever_they_name(store: Store, ana: Customer) -> None:
    factories.make_customer(store, external_id="B-1")
    rows = read_sheet("customer,points,reason\nA-1,1001,x\nA-1,600,x\nB-1,300,x\nA-1,-200,x\nA-1,100,x\nB-1,1,x\n")
    by = desk(store, Role.SUPPORT, limits=LimitSettings(support_adjust_points=1000))
    shown = check_sheet(rows, desk=by, now=NOW)
    assert [line.error for line in shown] == [
        "1,000 points left today. Ask a manager for more.",
        "",
        "",
        "100 points left today. Ask a manager for more.",
        "",
        "0 points left today. Ask a manager for more.",
    ]

    carry_out_sheet(rows, shown=digest_of(shown), desk=by, now=NOW)

    assert factories.balance("points", ana, now=NOW) == 700
    assert left_today("points", by.adjuster, now=NOW) == 0
    assert {line.error for line in check_sheet(rows, desk=by, now=NOW)} == {
        "0 points left today. Ask a manager for more."
    }
    assert find_faults(store) == []


def test_t7_five_hundred_rows_of_one_customer_give_no_more_than_one(store: Store, ana: Customer) -> None:
    rows = read_sheet("customer,points,reason\n" + "A-1,1000,x\n" * MOST_ROWS)
    by = desk(store, Role.SUPPORT, limits=LimitSettings(support_adjust_points=1000))
    carry_out_sheet(rows, shown=digest_of(check_sheet(rows, desk=by, now=NOW)), desk=by, now=NOW)
    assert factories.balance("points", ana, now=NOW) == 1000


def test_t7_what_was_given_elsewhere_meanwhile_makes_the_table_stale(store: Store, ana: Customer) -> None:
    rows = read_sheet("customer,points,reason\nA-1,600,x\n")
    by = desk(store, Role.SUPPORT, limits=LimitSettings(support_adjust_points=1000))
    shown = digest_of(check_sheet(rows, desk=by, now=NOW))
    carry_out_sheet(rows, shown=shown, desk=by, now=NOW)
    with pytest.raises(SheetStale):
        carry_out_sheet(rows, shown=shown, desk=by, now=NOW)
    assert factories.balance("points", ana, now=NOW) == 600


def test_l7_points_expire_by_the_scheme_unless_the_row_says_otherwise(store: Store, ana: Customer) -> None:
    scheme = PointsExpirySettings("days", days=10)
    rows = read_sheet("customer,points,reason,expires_on\nA-1,1,x,\nA-1,1,x,2026-05-01\nA-1,1,x,never\n")
    by = desk(store, points_expiry=scheme)
    lines = carry_out_sheet(rows, shown=digest_of(check_sheet(rows, desk=by, now=NOW)), desk=by, now=NOW)
    assert [line.last_day for line in lines] == [date(2026, 1, 15), date(2026, 5, 1), None]
    assert PointLot.objects.for_store(store).filter(expires_at__isnull=True).count() == 1


def test_r6_what_was_shown_is_what_is_done(store: Store, ana: Customer) -> None:
    factories.grant("points", ana, 50)
    text = "customer,points,reason\nA-1,-50,x\n"
    rows, by = read_sheet(text), desk(store)
    shown = digest_of(check_sheet(rows, desk=by, now=NOW))
    carry_out(store, "customer,points,reason\nA-1,-1,x\n")
    before = PointMovement.unscoped.count()

    with pytest.raises(SheetStale) as stale:
        carry_out_sheet(rows, shown=shown, desk=by, now=NOW)

    assert "49 points by then" in stale.value.lines[0].error
    assert PointMovement.unscoped.count() == before


def test_r6_a_table_is_checked_in_as_many_statements_as_a_row(store: Store, ana: Customer) -> None:
    for number in range(20):
        factories.make_customer(store, email=f"c{number}@example.org", external_id=f"C-{number}")
    rows = "".join(f"C-{number},1,x\n" for number in range(20))
    by, table = desk(store), read_sheet(f"customer,points,reason\n{rows}")
    with time_machine.travel(NOW, tick=False), CaptureQueriesContext(connection) as queries:
        assert not any(line.error for line in check_sheet(table, desk=by, now=NOW))
    assert len(queries) == 4
