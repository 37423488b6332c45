"""*Move in* on its pages: a file is brought, said what it is, rehearsed, started, and taken back."""

import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client

from loyalty.database.named_stores import in_store
from loyalty.jobs.periodic import run_job
from loyalty.stores.models import Customer, Role, Store
from orders.models import BalanceImport, ImportState, KeptLayout
from orders.services.balance_imports import upload as upload_module
from orders.services.balance_imports.jobs import JOB
from orders.services.balance_imports.layouts.keep import MOST, keep_layout, kept_layout
from orders.services.balance_imports.take_back import carry_back, take_back
from tests.addresses import pages_of, reverse
from tests.balance_imports import HEADER, carried_out, rehearsed
from tests.factories import ACTOR, NOW, balance, make_store
from tests.orders.admin.reverts.cases import staff, store_and_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]
LIST = "admin:orders_balanceimport_changelist"
GROWAVE = "Customer ID,Email,Points,First Name,Last Name,Birthdate\n7001,ana@shop.example,120,Ana,Gomez,1990-04-03\n"


@pytest.fixture
def desk() -> Iterator[tuple[Client, Store]]:
    """A manager's browser, and the store."""
    client, store = staff_of(Role.MANAGER)
    with pages_of(store):
        yield client, store


def staff_of(role: Role) -> tuple[Client, Store]:
    store = make_store()
    return staff(store, role)[0], store


def bring(client: Client, content: str | bytes, name: str = "old.csv") -> Any:
    sent = SimpleUploadedFile(name, content.encode() if isinstance(content, str) else content)
    return client.post(reverse("admin:orders_balanceimport_bring"), {"file": sent})


def latest(store: Store) -> BalanceImport:
    found: BalanceImport = BalanceImport.objects.for_store(store).latest("id")
    return found


def address(name: str, store: Store, *more: str) -> str:
    return reverse(f"admin:orders_balanceimport_{name}", [latest(store).pk, *more])


def page(client: Client, where: str) -> str:
    answer = client.get(where)
    assert answer.status_code == 200, answer
    return " ".join(answer.content.decode().split())


def chosen(html: str) -> dict[str, str]:
    """What the form on the page would send if only the button was pressed."""
    found = dict(re.findall(r'<input type="hidden" name="(headings)" value="(\w+)"', html))
    for name, options in re.findall(r'<select name="(\w+)"[^>]*>(.*?)</select>', html, re.DOTALL):
        picked = re.search(r'<option value="([^"]*)" selected', options)
        found[name] = picked.group(1) if picked else ""
    return found


def rehearse(client: Client, store: Store, **said: str) -> Any:
    form = chosen(page(client, address("layout", store))) | said
    answer = client.post(address("layout", store), form | {"_rehearse": "1"})
    run_job(JOB, NOW)
    return answer


def test_a_row_that_cannot_be_imported_says_why_and_nothing_else(desk: tuple[Client, Store]) -> None:
    """A last day that cannot be read is not *never*, and nobody becomes known by such a row."""
    client, store = desk
    bring(client, b"email,points,expires on,%b\na@b.example,5,2027-02-30,\nb@b.example,many,,\n" % (b"x" * 300))
    looked = page(client, address("layout", store))
    assert "This is not a day that the calendar has." in looked
    assert "This is not a number." in looked
    assert "never expires" not in looked
    assert "becomes known" not in looked
    # A name without an end leaves room for the choice beside it.
    assert "x" * 59 + "…" in looked


def test_counts_are_written_as_who_reads_writes_them(desk: tuple[Client, Store]) -> None:
    client, store = desk
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "de"
    lines = [f"{number}@b.example,{5 if number % 2 else 'viele'}" for number in range(2_400)]
    bring(client, "\n".join(["email,points", *lines]))
    assert rehearse(client, store).status_code == 302
    found = page(client, address("change", store))
    assert "2.400 Zeilen" in found
    assert "1.200 Zeilen" in found
    assert "<strong>1.200</strong>" in found
    assert re.search(r"<button[^>]*>[^<]*\b1\.200\b", found)
    assert not re.search(r"\b(1,?200|2,?400)\b", found)
    assert "2.400" in page(client, reverse(LIST))


def test_a_newcomer_brings_a_file_of_a_known_system_and_it_is_in_the_ledger(desk: tuple[Client, Store]) -> None:
    client, store = desk
    assert "Nothing has been imported yet" in page(client, reverse(LIST))
    answer = bring(client, GROWAVE)
    assert answer.headers["Location"] == address("layout", store)
    looked = page(client, address("layout", store))
    assert "a file from Growave" in looked
    assert "120 points, never expires" in looked
    assert rehearse(client, store).status_code == 302
    found = page(client, address("change", store))
    assert "The file has one row. It is about one customer." in found
    assert "Will be imported" in found
    answer = client.post(address("start", store), {"told_points_": "120"})
    assert answer.status_code == 302
    run_job(JOB, NOW)
    done = page(client, address("change", store))
    assert "The ledger agrees with the rehearsal" in done
    customer = Customer.objects.for_store(store).get()
    assert (customer.name, balance("points", customer, now=NOW)) == ("Ana Gomez", 120)
    certificate = page(client, address("certificate", store))
    assert latest(store).sha256 in certificate
    assert certificate.count("120 points") == 4
    assert "agrees" in certificate
    assert "Nothing of it was spent" in page(client, address("take_back", store))
    client.post(address("take_back", store))
    run_job(JOB, NOW)
    assert latest(store).state == ImportState.TAKEN_BACK
    assert balance("points", customer, now=NOW) == 0


def test_what_is_ambiguous_is_asked_and_nothing_goes_on_before(desk: tuple[Client, Store]) -> None:
    client, store = desk
    bring(client, "email,points,expires on\na@b.example,1.234,03/04/2027\n")
    answer = rehearse(client, store)
    assert answer.status_code == 200
    assert answer.content.decode().count("the file can be read in two ways") == 2
    assert latest(store).state == ImportState.UPLOADED
    assert rehearse(client, store, decimal_mark=",", day_order="day").status_code == 302
    assert "1,234 points, last day Apr 3, 2027" in page(client, address("change", store))


def test_an_encoding_is_asked_about_with_a_line_in_each(desk: tuple[Client, Store]) -> None:
    client, store = desk
    bring(client, "email,name\na@b.example,Zoë\n".encode("cp1252"))
    assert "Zoë" in page(client, address("layout", store))
    form = chosen(page(client, address("layout", store)))
    looked = client.post(address("layout", store), form | {"encoding": "big5", "_look": "1"}).content.decode()
    assert "Zoë" not in looked.split("In the first rows")[1]


def test_columns_that_nobody_knows_are_chosen_and_kept_under_a_name(desk: tuple[Client, Store]) -> None:
    client, store = desk
    bring(client, "Wer,Wieviel\na@b.example,5\n")
    refused = rehearse(client, store)
    assert "Say which column has the e-mail addresses" in refused.content.decode()
    assert rehearse(client, store, column_0="email", column_1="points", keep_as="Old till").status_code == 302
    assert kept_layout(store, "Old till")["columns"] == {"email": "Wer", "points": "Wieviel"}
    bring(client, "Wieviel,Wer\n7,b@b.example\n")
    form = chosen(page(client, address("layout", store)))
    used = client.post(address("layout", store), form | {"kept": "Old till", "_kept": "1"}).content.decode()
    assert chosen(used)["column_1"] == "email"
    assert "7 points" in used


def test_two_columns_cannot_say_the_same(desk: tuple[Client, Store]) -> None:
    client, store = desk
    bring(client, "a,b\nx@y.example,z@y.example\n")
    assert "says this already" in rehearse(client, store, column_0="email", column_1="email").content.decode()


def test_totals_that_differ_need_a_reason(desk: tuple[Client, Store]) -> None:
    client, store = desk
    bring(client, GROWAVE)
    rehearse(client, store)
    answer = client.post(address("start", store), {"told_points_": "1,000.00"})
    assert answer.status_code == 422
    assert "Differs" in answer.content.decode()
    assert "two ways" in client.post(address("start", store), {"told_points_": "1,000"}).content.decode()
    assert "as a number" in client.post(address("start", store), {"told_points_": "many"}).content.decode()
    assert latest(store).state == ImportState.REHEARSED
    client.post(address("start", store), {"told_points_": "1000", "reason": "The rest has expired"})
    assert "The rest has expired" in page(client, address("change", store))


def test_bad_rows_are_shown_and_can_be_fetched_mended_and_sent_again(desk: tuple[Client, Store]) -> None:
    client, store = desk
    bring(client, "email,points,note\na@b.example,5,fine\nb@b.example,=1+1,\nnobody,many,x\n")
    rehearse(client, store)
    found = page(client, address("change", store) + "?only=bad")
    assert "points “=1+1”: This is a formula" in found
    assert "Left out" in found
    file = b"".join(client.get(address("bad_rows", store)))
    lines = file.decode("utf-8-sig").splitlines()
    assert lines[0] == "email,points,note,What is wrong,Row"
    assert lines[1].startswith("b@b.example,'=1+1,,points “=1+1”: This is a formula")
    assert len(lines) == 3
    mended = file.decode("utf-8-sig").replace("'=1+1", "2").splitlines()[:2]
    bring(client, "\n".join(mended) + "\n")
    rehearse(client, store)
    assert latest(store).summary["bad_rows"] == 0
    rows = b"".join(client.get(address("rows", store, "csv")))
    assert b"b@b.example" in rows


def test_what_is_wrong_is_said_in_the_column_of_its_kind_as_the_file_calls_it(desk: tuple[Client, Store]) -> None:
    client, store = desk
    bring(client, "email,Coins,Coins until,credits\na@b.example,-5,,1\nb@b.example,5,2001-01-01,1\n")
    columns = {"column_0": "email", "column_1": "points", "column_2": "points_expires_on", "column_3": "credits"}
    rehearse(client, store, **columns)
    found = page(client, address("change", store))
    assert "Coins “-5”: The amount must be above zero." in found
    assert "Coins until “2001-01-01”: This has expired already" in found
    file = b"".join(client.get(address("bad_rows", store))).decode("utf-8-sig").splitlines()
    assert "Coins “-5”: The amount must be above zero." in file[1]


def test_where_no_row_can_be_imported_there_is_nothing_to_start(desk: tuple[Client, Store]) -> None:
    client, store = desk
    bring(client, "email,points\na@b.example,-5\n")
    rehearse(client, store)
    found = page(client, address("change", store))
    assert "No row of this file can be imported; the rows say why." in found
    assert "Rows to mend (CSV)" in found
    assert "Start: import" not in found
    assert "Nobody gets a balance" not in found


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"%PDF-1.7", "This is a PDF"),
        (b"<html><body>Error 500", "web page"),
        (b"PK\x03\x04broken", "damaged"),
        (b"\x00\x01\x02\x03", "neither text"),
        (b"email,points\n", "There are no rows"),
    ],
)
def test_a_file_that_is_something_else_says_so_and_can_be_thrown_away(
    desk: tuple[Client, Store], content: bytes, words: str
) -> None:
    client, store = desk
    bring(client, content, "old.csv")
    assert words in page(client, address("layout", store))
    answer = client.post(address("discard", store))
    assert "thrown away" in " ".join(map(str, get_messages(answer.wsgi_request)))
    assert not BalanceImport.objects.for_store(store).exists()


def test_no_file_and_an_empty_one_are_refused_beside_the_field(desk: tuple[Client, Store]) -> None:
    client, store = desk
    assert "required" in client.post(reverse("admin:orders_balanceimport_bring")).content.decode()
    assert "empty" in bring(client, b"").content.decode()
    assert not BalanceImport.objects.for_store(store).exists()


def test_a_script_sends_a_file_in_parts_and_goes_on_where_it_broke_off(
    desk: tuple[Client, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, store = desk
    monkeypatch.setattr(upload_module, "MOST_OF_PART", 40)
    content = GROWAVE.encode()
    began = client.post(reverse("admin:orders_balanceimport_bring"), {"name": "old.csv", "size": len(content)}).json()
    where = began["parts"]

    def send(number: int) -> Any:
        return client.post(where, {"number": number, "part": BytesIO(content[(number - 1) * 40 : number * 40])})

    assert send(1).json() == {"received": 40, "failed": ""}
    assert send(1).json()["received"] == 40
    assert "Part 2 is the next" in send(3).json()["error"]
    assert 'data-next="2"' in page(client, address("change", store))
    for number in range(2, len(content) // 40 + 2):
        last = send(number)
    assert last.json()["received"] == len(content)
    assert client.post(where, {"number": "x"}).status_code == 400
    assert "Growave" in page(client, began["then"])
    assert client.post(reverse("admin:orders_balanceimport_bring"), {"size": "9" * 12}).status_code == 400


def test_what_was_spent_stands_in_the_way_of_taking_back(desk: tuple[Client, Store]) -> None:
    client, store = desk
    bring(client, GROWAVE)
    rehearse(client, store)
    client.post(address("start", store), {"told_points_": "120"})
    run_job(JOB, NOW)
    customer = Customer.objects.for_store(store).get()
    spend(customer)
    found = page(client, address("take_back", store))
    assert "It cannot be taken back as it is" in found
    assert "Ana Gomez" in found
    client.post(address("take_back", store))
    assert latest(store).state == ImportState.DONE


def spend(customer: Customer) -> None:
    from tests.factories import make_order  # noqa: PLC0415

    make_order(customer, points=20)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.SUPPORT])
def test_t2_only_managers_and_owners_bring_balances_here(role: Role) -> None:
    client, store = staff_of(role)
    with pages_of(store):
        assert "Move in" not in page(client, reverse("admin:index"))
        assert client.get(reverse(LIST)).status_code == 403
        assert bring(client, GROWAVE).status_code == 403
    assert not BalanceImport.objects.for_store(store).exists()


def test_t1_an_import_of_another_store_is_not_there(desk: tuple[Client, Store]) -> None:
    client, store = desk
    bring(client, GROWAVE)
    mine = {name: address(name, store) for name in ("part", "layout", "start", "take_back", "discard", "change")}
    other, outsider = store_and_staff(Role.OWNER)
    moved = {where.replace(store.slug, other.slug) for where in mine.values()}
    assert {outsider.post(where).status_code for where in mine.values()} == {404}
    assert {outsider.post(where).status_code for where in moved} == {404}
    assert latest(store).state == ImportState.UPLOADED


def test_t1_kept_layouts_are_the_stores_own(desk: tuple[Client, Store]) -> None:
    _client, store = desk
    keep_layout(store=make_store(), name="Theirs", layout={}, actor=ACTOR, now=NOW)
    assert not KeptLayout.objects.for_store(store).exists()
    with pytest.raises(Exception, match="no layout “Theirs”"):
        kept_layout(store, "Theirs")


def test_a_layout_is_kept_once_under_a_name_and_there_is_an_end_to_names(desk: tuple[Client, Store]) -> None:
    _client, store = desk
    for number in range(MOST):
        keep_layout(store=store, name=f"Layout {number}", layout={}, actor=ACTOR, now=NOW)
    keep_layout(store=store, name=" Layout  7 ", layout={"columns": {"email": "x"}}, actor=ACTOR, now=NOW)
    assert kept_layout(store, "Layout 7") == {"columns": {"email": "x"}}
    for name in ("One more", "", "a\x00b", "x" * 101):
        with pytest.raises(Exception, match=r"name|layouts"):
            keep_layout(store=store, name=name, layout={}, actor=ACTOR, now=NOW)


def test_names_of_files_are_shown_as_they_are(desk: tuple[Client, Store]) -> None:
    client, store = desk
    held = rehearsed(store, HEADER + "9,,Zoe,points,1,,,,,\n")
    shown = page(client, reverse("admin:orders_balanceimport_change", [held.pk]))
    assert "Old.csv" not in shown
    assert shown.count("old.csv") > 1


def test_rows_stand_as_in_the_file(desk: tuple[Client, Store]) -> None:
    client, store = desk
    held = rehearsed(store, HEADER + "9,,Zoe,points,1,,,,,\n7,,Ann,points,1,,,,,\n9,,Zoe,points,2,,,,,\n")
    shown = page(client, reverse("admin:orders_balanceimport_change", [held.pk]))
    assert re.findall(r'data-label="Customer">(\w+)<', shown) == ["Zoe", "Ann", "Zoe"]


def test_how_far_taking_back_is_can_be_seen(desk: tuple[Client, Store]) -> None:
    client, store = desk
    held = carried_out(store, HEADER + "7,,Ann,points,1,,,,,\n8,,Bob,points,1,,,,,\n")
    take_back(store=store, import_id=held.pk, actor=ACTOR, now=NOW)
    where = reverse("admin:orders_balanceimport_change", [held.pk])
    assert "It is being taken back: 0 of 2 so far." in page(client, where)
    # Somebody does not come to the end: what was said beside the transaction is there, and nothing is taken.
    with in_store(store.pk), transaction.atomic():
        carry_back(BalanceImport.objects.for_store(store).get(pk=held.pk), now=NOW)
        transaction.set_rollback(True)
    assert "It is being taken back: 2 of 2 so far." in page(client, where)
    assert balance("points", Customer.unscoped.get(external_id="7"), now=NOW) == 1


def test_what_seems_to_have_been_brought_before_is_said_before_it_starts(desk: tuple[Client, Store]) -> None:
    client, store = desk
    carried_out(store, HEADER + "7,,Ann,points,1,,,,,\n")
    again = rehearsed(store, HEADER + "7,,Ann,points,1,,,,,\n8,,Bob,points,1,,,,,\n")
    shown = page(client, reverse("admin:orders_balanceimport_change", [again.pk]))
    assert "One row gives somebody a balance that another import gave already" in shown


def test_rows_that_say_the_same_twice_are_said_before_it_starts(desk: tuple[Client, Store]) -> None:
    client, store = desk
    held = rehearsed(store, HEADER + "7,,Ann,points,1,,,,,\n7,,Ann,points,1,,,,,\n8,,Bob,points,1,,,,,\n")
    shown = page(client, reverse("admin:orders_balanceimport_change", [held.pk]))
    assert "One row gives somebody the same as an earlier row of this file" in shown
    words = "Row 2 says the same, and there is no reference by which to tell: both are imported."
    assert shown.count(words) == 1
    rows: Any = client.get(reverse("admin:orders_balanceimport_rows", [held.pk, "csv"]))
    lines = b"".join(rows.streaming_content).decode().splitlines()
    assert [words in line for line in lines] == [False, False, True, False]
