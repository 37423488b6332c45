"""``manage.py import_balances``: rehearsed, imported, gone on with, its bad rows written to mend."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from loyalty.stores.models import Store
from orders.models import BalanceImport
from orders.services.balance_imports.bad_rows import bad_rows
from orders.services.balance_imports.layouts.keep import keep_layout
from points.models import PointLot
from tests.balance_imports import HEADER, rehearsed
from tests.factories import ACTOR, NOW

pytestmark = pytest.mark.django_db

ROWS = HEADER + "7,ann@example.org,Ann,points,300,,,,,P1\n8,bob@example.org,Bob,points,12,,,,,P2\n"
BAD = HEADER + "7,,Ann,points,300,,,,,P1\n8,,Bob,points,many,,,,,P2\n9,,Zoe,points,-1,,,,,P3\n"


def command(store: Store, file: Path, **options: object) -> str:
    said = StringIO()
    call_command("import_balances", str(file), store=store.slug, stdout=said, **options)
    return said.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "old.csv"
    file.write_text(ROWS)
    return file


def test_a_rehearsal_writes_nothing_and_says_what_would_happen(store: Store, file: Path) -> None:
    said = command(store, file, rehearse=True)
    assert "2 rows: 2 customers, 0 of them here already" in said
    assert "points in all: 312; the old system: not said" in said
    assert not PointLot.unscoped.exists()


def test_it_imports_once_and_only_with_totals_that_agree_or_a_reason(store: Store, file: Path) -> None:
    with pytest.raises(CommandError, match="totals differ"):
        command(store, file, totals=["points:311"])
    assert "imported: lots 2" in command(store, file, totals=["points:312"])
    assert "2 rows: This was imported before" in command(store, file)
    assert PointLot.unscoped.count() == 2
    assert BalanceImport.unscoped.filter(state="done").count() == 1


def test_rows_to_mend_are_written_as_they_stand_in_the_file(store: Store, file: Path, tmp_path: Path) -> None:
    file.write_text(BAD)
    mend = tmp_path / "mend.csv"
    with pytest.raises(CommandError, match="2 rows cannot be imported"):
        command(store, file, reason="Not known", bad_rows=str(mend))
    heading, *lines = mend.read_text(encoding="utf-8-sig").splitlines()
    assert heading == HEADER.strip() + ",What is wrong,Row"
    assert lines == [
        "8,,Bob,points,many,,,,,P2,amount “many”: This is not a number.,3",
        "9,,Zoe,points,'-1,,,,,P3,amount “-1”: The amount must be above zero.,4",
    ]
    mended = mend.read_text(encoding="utf-8-sig").replace(",many,", ",5,").replace(",'-1,", ",6,")
    again = rehearsed(store, mended)
    assert (list(bad_rows(again)), again.summary["totals"][0]["amount"]) == ([], "11")


def test_bad_arguments_are_one_line(store: Store, file: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        command(store, tmp_path / "nothing.csv")
    with pytest.raises(CommandError, match="is no total"):
        command(store, file, totals=["points"])
    with pytest.raises(CommandError):
        command(Store(slug="nobody"), file)


def test_a_kept_layout_is_named_or_a_file_with_one(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "old.csv"
    file.write_text("Who;What\nann@example.org;1.234,50\n")
    shape = {"kind": "csv", "encoding": "utf-8", "separator": ";"}
    layout = {"shape": shape, "columns": {"email": "Who", "credits": "What"}, "decimal_mark": ",", "currency": "EUR"}
    keep_layout(store=store, name="Old system", layout=layout, actor=ACTOR, now=NOW)
    assert "EUR in all: 1234.5;" in command(store, file, rehearse=True, layout="Old system")
    stored = tmp_path / "layout.json"
    stored.write_text(json.dumps(layout))
    assert "EUR in all: 1234.5;" in command(store, file, rehearse=True, layout=str(stored))
    for said, words in (("New", "no layout “New”"), (str(file), "is not JSON")):
        with pytest.raises(CommandError, match=words):
            command(store, file, rehearse=True, layout=said)


def test_columns_of_which_nothing_is_read_are_named(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "old.csv"
    file.write_text("Email,Points,Wallet,Lapses\nann@example.org,5,7.50,2027-01-01\n")
    assert "nothing is read: Wallet, Lapses\n" in command(store, file, rehearse=True)


def test_rows_that_say_the_same_twice_are_said(store: Store, file: Path) -> None:
    file.write_text(HEADER + "7,,Ann,points,300,,,,,\n" * 2)
    assert "1 rows give somebody the same as an earlier row of the file" in command(store, file, rehearse=True)


def test_a_reading_that_was_broken_off_is_gone_on_with_without_saying_the_layout_again(
    store: Store, file: Path
) -> None:
    """What its columns' names said is kept with it by then."""
    held = rehearsed(store, ROWS)
    BalanceImport.unscoped.filter(pk=held.pk).update(state="reading", rows_read=3)
    assert "imported: lots 2" in command(store, file, reason="Not known")
