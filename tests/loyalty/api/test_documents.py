"""What a document declares is what is rendered, or nothing is."""

from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from rest_framework import serializers

from loyalty.api.answers.documents import Document
from loyalty.api.values import AmountTextField, DayField, IdField, InstantField, ValueField


class PartDocument(Document):
    """A part."""

    amount = ValueField()
    day = DayField(allow_null=True)


class WholeDocument(Document):
    """What it is a part of."""

    id = IdField(source="key")
    state = serializers.ChoiceField(choices=["open"], allow_null=True)
    total = AmountTextField()
    at = InstantField()
    name = serializers.CharField()
    part = PartDocument(allow_null=True)
    parts = PartDocument(many=True)


ROW = SimpleNamespace(
    key=7,
    state="",
    total=Decimal("15.000"),
    currency="USD",
    at=datetime(2026, 1, 5, 3, tzinfo=UTC),
    part=None,
    parts=[SimpleNamespace(amount=Decimal(5), currency="", day=date(2026, 1, 5)), {"amount": 1, "day": None}],
)
RENDERED: dict[str, Any] = {
    "id": "7",
    "state": None,
    "total": "15.00",
    "at": "2026-01-05T03:00:00Z",
    "name": "given",
    "part": None,
    "parts": [{"amount": 5, "day": "2026-01-05"}, {"amount": 1, "day": None}],
}


def test_members_are_the_rows_or_given_in_the_order_of_the_declaration() -> None:
    assert list(WholeDocument.of(ROW, name="given").items()) == list(RENDERED.items())


def test_what_neither_the_row_nor_the_caller_has_is_not_left_out() -> None:
    with pytest.raises(AttributeError, match="name"):
        WholeDocument.of(ROW)


def test_what_is_not_declared_is_not_answered() -> None:
    with pytest.raises(TypeError, match="WholeDocument has no member nam"):
        WholeDocument.of(ROW, nam="given")
