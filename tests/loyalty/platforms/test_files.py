"""O2: import files in whatever shape people saved them."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from loyalty.platforms.documents import json_text
from loyalty.platforms.files import read_documents
from loyalty.platforms.snapshot import NotAnOrder

_A = {"id": 1, "total": "1.00"}
_B = {"id": 2, "total": "2.00"}
_C = {"_id": "607fd9c2", "total": 3}


def _delivery(topic: str, body: object, **headers: object) -> dict[str, object]:
    return {"headers": {"X-Shopify-Topic": topic} | headers, "body": body, "topic": topic}


@pytest.mark.parametrize(
    ("content", "documents"),
    [
        (_A, [_A]),
        ([_A, _B], [_A, _B]),
        ([], []),
        ({"order": _A}, [_A]),
        ({"order": _A, "notice": "cancelled"}, [_A]),
        ({"orders": [_A, _B]}, [_A, _B]),
        ({"data": _A}, [_A]),
        ({"data": [_A, _B]}, [_A, _B]),
        ({"data": {"orders": [_A]}}, [_A]),
        ({"items": [_A, _B], "pagination": {"current_page": 1}}, [_A, _B]),
        ([{"order": _A}, {"orders": [_B]}], [_A, _B]),
        ({"refund": _A}, [_A]),
        (_delivery("orders/updated", _A), [_A]),
        ([_delivery("orders/create", _A), _delivery("orders/updated", _B)], [_A, _B]),
        (_delivery("orders/updated", json.dumps(_A)), [_A]),
        ({"headers": {"x-wc-webhook-topic": ["order.updated"]}, "body": _A}, [_A]),
        ({"event": "Order", "merchant_id": "m", "resource": _C, "topic": "order/update"}, [_C]),
        ({"event": "OrderPayment", "resource": _C, "topic": "order_payment/update"}, [_C]),
        (_A | {"items": [_B], "data": {}}, [_A | {"items": [_B], "data": {}}]),
        (_A | {"topic": "tea", "body": "green"}, [_A | {"topic": "tea", "body": "green"}]),
    ],
)  # fmt: skip
def test_o2_every_shape_is_opened(content: object, documents: list[object]) -> None:
    rows = list(read_documents(json.dumps(content)))
    assert [row.document for row in rows] == documents
    assert [row.position for row in rows] == list(range(1, len(documents) + 1))
    assert not any(row.error or row.is_test for row in rows)


@pytest.mark.parametrize("flag", ["true", "True", ["true"]])
def test_o2_test_deliveries_are_known_by_their_header(flag: object) -> None:
    rows = list(read_documents(json.dumps([_delivery("orders/paid", _A, **{"X-Shopify-Test": flag}), _A])))
    assert [row.is_test for row in rows] == [True, False]


@pytest.mark.parametrize(
    ("topic", "sentence"),
    [
        ("refunds/create", "This is a refund, not an order"),
        ("coupon.deleted", "This is a coupon, not an order"),
        ("order_transactions/create", "This is a payment transaction, not an order"),
        ("application/uninstall", "This is a message about the app, not an order"),
        ("user_credit/update", "This is a change of credits, not an order"),
        ("owls/flown", "This is something else, not an order"),
    ],
)
def test_o2_webhooks_about_something_else_are_rows_with_an_error(topic: str, sentence: str) -> None:
    first, second = read_documents(json.dumps([_delivery(topic, _A), _B]))
    assert first.error is not None
    assert str(first.error).startswith(sentence)
    assert (first.error.field, first.document, second.document) == ("topic", None, _B)


def test_o2_numbers_are_decimals_and_ids_are_whole() -> None:
    (row,) = read_documents('[{"id": 820982911946154508, "total": 0.1, "price": 1e2}]')
    assert row.document == {"id": 820982911946154508, "total": Decimal("0.1"), "price": Decimal(100)}


def test_o2_json_lines_with_a_broken_line() -> None:
    rows = list(read_documents('{"id": 1}\n\n{"id": 2,\r\n5\n{"orders": [{"id": 3}, {"id": 4}]}\n'))
    assert [row.document and row.document["id"] for row in rows] == [1, None, None, 3, 4]
    assert [row.position for row in rows] == [1, 2, 3, 4, 5]
    assert [str(row.error or "") for row in rows] == [
        "",
        "Line 3 of the file is not valid JSON.",
        "This is not an order: a JSON object was expected here.",
        "",
        "",
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_o2_text_with_and_without_a_byte_order_mark(encoding: str) -> None:
    (row,) = read_documents('{"id": 1, "name": "商品"}'.encode(encoding))
    assert row.document == {"id": 1, "name": "商品"}
    (row,) = read_documents('\ufeff[{"id": 1}]')
    assert row.document == {"id": 1}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty."),
        (" \n\ufeff".encode(), "not valid JSON"),
        (b" \r\n", "The file is empty."),
        ("\ufeff".encode(), "The file is empty."),
        ("Größe".encode("latin-1"), "not text in UTF-8"),
        (b"\xff\xfe\x00", "not text in UTF-8"),
        (b"number,total\n1,2\n", "not valid JSON \\(line 1, column 1\\)"),
        (b'{"id": 1', "not valid JSON"),
        (b'{"id": 1}}', "not valid JSON \\(line 1, column 10\\)"),
        (b'{"id": NaN}', "not valid JSON"),
        (b'{"id": ' + b"1" * 5000 + b"}", "not valid JSON"),
        (b'{"id": 1e' + b"9" * 30 + b"}", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b'{"a":' * 100_000, "not valid JSON"),
        (b'[{"id": 1},\n {"id": 2}', "not valid JSON \\(line 2, column 11\\)"),
        (b'[{"id": 1},\n {"id" 2}]', "not valid JSON \\(line 2, column 8\\)"),
        (b'[{"id": 1},]', "not valid JSON"),
        (b'[{"id": 1}] x', "not valid JSON"),
        (b"[,]", "not valid JSON"),
        (b"[", "not valid JSON"),
    ],
)
def test_o2_a_file_that_is_no_json_is_refused_before_the_first_row(content: bytes, sentence: str) -> None:
    with pytest.raises(NotAnOrder, match=sentence):
        read_documents(content)


@pytest.mark.parametrize("content", ["5", "null", '"text"', "[5]", "[null]", '["text"]', '{"orders": [5]}'])
def test_o2_values_that_are_no_objects_are_rows_with_an_error(content: str) -> None:
    (row,) = read_documents(content)
    assert str(row.error).startswith("This is not an order")


def test_o2_nesting_without_end_is_a_document_of_its_own() -> None:
    (row,) = read_documents('{"data":' * 50 + "{}" + "}" * 50)
    assert row.document is not None


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_o2_a_large_file_is_read_in_pieces_wherever_they_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, size: int
) -> None:
    monkeypatch.setattr(json_text, "_PIECE", size)
    orders = [_A, {"id": 12345, "name": '商\\u00e9 "quoted"', "lines": [[1, -2.50], {}, None, True]}, {}, _B]
    file = tmp_path / "orders.json"
    for content, about in ((orders, 4), ({"orders": orders, "page": 12}, 4), (orders[1], 1), ([], 0)):
        file.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
        documents = read_documents(file)
        assert documents.about == about
        expected = content if isinstance(content, list) else content.get("orders", [content])
        assert [row.document for row in documents] == json.loads(json.dumps(expected), parse_float=Decimal)


@pytest.mark.parametrize("size", [1, 5, 1000])
@pytest.mark.parametrize(
    "broken", ['[{"id": 1},\n {"id": 2},\n  {"id" 3}]', '[{"id": 1},\n{"id": 2}\n  {}]', "[1,\n\n  "]
)
def test_a_list_that_is_broken_says_where_and_gives_no_row(
    monkeypatch: pytest.MonkeyPatch, broken: str, size: int
) -> None:
    monkeypatch.setattr(json_text, "_PIECE", size)
    with pytest.raises(NotAnOrder, match=r"\(line 3, column [0-9]+\)"):
        read_documents(broken)
