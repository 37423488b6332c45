"""Whatever comes, a mapping answers with a snapshot or NotAnOrder, never with another exception (O10)."""

from collections.abc import Iterator
from datetime import UTC
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.platforms.files import read_documents
from loyalty.platforms.read import read_order
from loyalty.platforms.registry import PLATFORMS
from loyalty.platforms.snapshot import NotAnOrder, OrderSnapshot
from tests.loyalty.platforms.samples import Document, order

_TELLING = [
    "",
    "0",
    "-1",
    "NULL",
    "true",
    "cancelled",
    "refunded",
    "9999-12-31T23:59:59-12:00",
    "JPY",
    "gid://shopify/Order/1",
]
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**12, 10**30, -1, 0])
    | st.floats()
    | st.decimals()
    | st.text(max_size=20)
    | st.text(alphabet="\x00\ud800 9.,-:TZ", max_size=20)
    | st.sampled_from(_TELLING)
)
_JUNK = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def _places(value: object) -> Iterator[tuple[Any, Any]]:
    """Every container and key in a document."""
    if isinstance(value, dict | list):
        for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
            yield value, key
            yield from _places(inner)


@st.composite
def _mangled(draw: st.DrawFn, platform: str) -> Document:
    document = order(platform, refunds=[{"transactions": [{"kind": "refund", "status": "success", "amount": "1.00"}]}])
    for _ in range(draw(st.integers(1, 4))):
        container, key = draw(st.sampled_from(list(_places(document)) or [(document, "id")]))
        if draw(st.booleans()) and isinstance(container, dict):
            container.pop(key, None)
        else:
            container[key] = draw(_JUNK)
    return document


def _assert_storable(snapshot: OrderSnapshot) -> None:
    assert snapshot.refunded_total >= 0
    assert snapshot.refunded_total <= snapshot.total or "total" in snapshot.unknown
    assert snapshot.external_id
    assert snapshot.status in {"pending", "confirmed", "completed", "cancelled"}
    assert snapshot.payment_status in {"pending", "paid", "failed", "expired", "partially_refunded", "refunded"}
    assert snapshot.placed_at.tzinfo is UTC
    assert snapshot.updated_at.tzinfo is UTC
    assert all(isinstance(line.total, Decimal) and line.quantity >= 0 for line in snapshot.lines)
    # PostgreSQL takes all of it.
    text = repr(snapshot)
    assert text.encode("utf-8")
    assert "\\x00" not in text


@pytest.mark.parametrize("platform", PLATFORMS)
@given(data=st.data())
def test_mangled_orders_never_raise_anything_else(platform: str, data: st.DataObject) -> None:
    document = data.draw(_mangled(platform))
    try:
        snapshot = read_order(platform, document)
    except NotAnOrder:
        return
    _assert_storable(snapshot)


@pytest.mark.parametrize("platform", PLATFORMS)
@given(data=st.data())
def test_o10_one_field_of_any_shape_never_loses_the_order(platform: str, data: st.DataObject) -> None:
    document = order(platform)
    key = data.draw(st.sampled_from(sorted(document.keys() - {"id", "admin_graphql_api_id"})))
    document[key] = data.draw(_JUNK)
    snapshot = read_order(platform, document)
    _assert_storable(snapshot)
    assert snapshot.external_id == read_order(platform, order(platform)).external_id


@given(content=st.binary(max_size=60) | st.text(alphabet='[]{}",:1e.orders body\n', max_size=60))
def test_any_content_is_rows_or_not_an_order(content: bytes | str) -> None:
    try:
        rows = list(read_documents(content))
    except NotAnOrder:
        return
    assert all((row.document is None) != (row.error is None) for row in rows)
