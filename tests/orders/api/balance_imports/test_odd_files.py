"""Files that are no tables, or were made to do harm, sent over REST: each is answered in words, nothing is written."""

import base64
from collections.abc import Iterator

import pytest

from loyalty.core.clock import read_clock
from loyalty.importing import xlsx_package
from loyalty.jobs.periodic import run_job
from loyalty.stores.models import Customer
from orders.models import BalanceImportRow
from orders.services.balance_imports.jobs import JOB
from tests.balance_imports import HEADER
from tests.examples import Shop
from tests.loyalty.importing.made import made_xlsx, rows_of, said

# As a body with it in base64 may be.
_PART = 700_000
_NAMES = HEADER.rstrip().split(",")
_ROW = "7,ann@example.org,Ann,points,12,,,,,L-1\n"
_TABLE = (HEADER + _ROW).encode()
_DOCTYPE = b'<!DOCTYPE x [<!ENTITY a "b">]><worksheet><sheetData><row><c><v>&a;</v></c></row></sheetData></worksheet>'
_ENDLESS = HEADER.encode() + b'7,ann@example.org,"Ann' + b"n" * 3_000_000
_ELSEWHERE = (
    '<workbook xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>'
    '<sheet name="One" sheetId="1" r:id="rId9"/></sheets><externalReferences><externalReference r:id="rId1"/>'
    "</externalReferences></workbook>"
)


def _sent(shop: Shop, content: bytes, name: str = "old.csv") -> dict[str, object]:
    """The import, once the file is here and was read as far as it can be."""
    answer = shop.command("/balance-imports/", {"file_name": name, "size": len(content)})
    assert answer.status_code == 201, answer.json()
    held = answer.json()["id"]
    for number, part in enumerate(_parts(content), start=1):
        sent = {"number": number, "content": base64.b64encode(part).decode()}
        answer = shop.command(f"/balance-imports/{held}/parts/", sent)
        assert answer.status_code == 200, answer.json()
    answer = shop.command(f"/balance-imports/{held}/rehearsal/", {})
    assert answer.status_code == 200, answer.json()
    run_job(JOB, read_clock())
    found: dict[str, object] = shop.get(f"/balance-imports/{held}/").json()
    return found


def _parts(content: bytes) -> Iterator[bytes]:
    return (content[begin : begin + _PART] for begin in range(0, len(content), _PART))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"\x00" * 5000, "empty", id="nothing but NUL"),
        pytest.param(bytes(range(256)) * 40, "neither text nor", id="binary"),
        pytest.param(b"\x7fELF" + b"\x02\x01\x00\x07" * 3000, "neither text nor", id="a program"),
        pytest.param(b"%PDF-1.7\n" + _TABLE, "PDF", id="a PDF called CSV"),
        pytest.param(_ENDLESS, "more than 1,000,000 characters", id="a quotation mark without an end"),
        pytest.param(
            HEADER.encode() + b"7," * 5_000_000, "more than 1,000,000 characters", id="a row of ten megabytes"
        ),
        pytest.param(",".join(f"c{n}" for n in range(10_000)).encode() + b"\n", "500 columns", id="10,000 columns"),
        pytest.param(b"PK\x03\x04" + b"\x00" * 500, "damaged", id="the beginning of a ZIP"),
        pytest.param(made_xlsx(_DOCTYPE).getvalue(), "damaged", id="entities"),
        pytest.param(made_xlsx(rows_of(said("a")), workbook=_ELSEWHERE).getvalue(), "damaged", id="a sheet elsewhere"),
        pytest.param(b"nobody,knows\n1,2\n", "who somebody is", id="columns of something else"),
    ],
)
def test_a_file_that_is_no_table_says_so_in_words(shop: Shop, content: bytes, words: str) -> None:
    found = _sent(shop, content)
    assert found["state"] == "failed"
    assert words in str(found["failure"])
    assert not BalanceImportRow.objects.for_store(shop.store).exists()
    assert not Customer.objects.for_store(shop.store).exists()


def test_a_zip_bomb_says_so(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_package, "_FREE", 1 << 16)
    bomb = b"<worksheet><sheetData><row>" + said("email").encode() + b"</row>" + b"<row></row>" * 250_000
    found = _sent(shop, made_xlsx(bomb).getvalue())
    assert (found["state"], "unfolds" in str(found["failure"])) == ("failed", True)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param((HEADER + _ROW.replace("Ann", "A\x00n")).encode(), "not-storable", id="a NUL in a cell"),
        pytest.param((HEADER + _ROW.replace("12", "=1+1")).encode(), "formula", id="a formula in CSV"),
        pytest.param(
            made_xlsx(
                rows_of(said(*_NAMES), said("7", "a@example.org", "A", "points") + "<c><f>[1]Far!A1</f><v>9</v></c>")
            ).getvalue(),
            "formula",
            id="a link to another workbook",
        ),
        pytest.param((HEADER + _ROW.replace("Ann", '"Ann"n')).encode(), "quotation", id="a quotation mark within"),
    ],
)
def test_a_row_that_cannot_be_taken_says_why(shop: Shop, content: bytes, code: str) -> None:
    found = _sent(shop, content)
    assert found["state"] == "rehearsed", found["failure"]
    (bad,) = shop.get(f"/balance-imports/{found['id']}/bad-rows/").json()["results"]
    assert bad["code"] == code


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(_TABLE.decode().encode("utf-16-le"), id="UTF-16 without its mark"),
        pytest.param(_TABLE.decode().encode("utf-16-be"), id="the same the other way round"),
        pytest.param(
            made_xlsx(rows_of(said(*_NAMES), said("7", "ann@example.org", "Ann", "points", "12"))).getvalue(),
            id="Excel called CSV",
        ),
        pytest.param((HEADER + "7,ann@example.org,Ann,points,12,,45291,47848,,L-1\n").encode(), id="days as numbers"),
    ],
)
def test_what_can_be_read_is_read(shop: Shop, content: bytes) -> None:
    found = _sent(shop, content)
    assert found["state"] == "rehearsed", found["failure"]
    assert found["rehearsal"]["bad_rows"] == 0  # type: ignore[index]
