"""The shapes that the schema describes are the shapes that are answered."""

from typing import Any

import pytest
from rest_framework import serializers

from loyalty.api.answers.documents import Document
from orders.api.orders.documents import EntryDocument, OrderDocument
from orders.api.reverts.documents import (
    BulkAnswerDocument,
    CancelAnswerDocument,
    PlanDocument,
    ReinstateAnswerDocument,
    RevertDocument,
    UndoAnswerDocument,
)
from orders.models import Revert
from tests.examples import Shop, x1


def _members(document: Any) -> Any:
    if isinstance(document, serializers.ListSerializer):
        return [_members(document.child)]
    if isinstance(document, serializers.Serializer):
        return {name: _members(member) for name, member in document.fields.items()}
    return None


def _same(shape: Any, answer: Any, path: str) -> None:
    if isinstance(shape, list):
        for item in answer:
            _same(shape[0], item, f"{path}[]")
    elif isinstance(shape, dict) and answer is not None:
        assert shape.keys() == answer.keys(), path
        for name, member in shape.items():
            _same(member, answer[name], f"{path}.{name}")


@pytest.fixture
def answers(shop: Shop) -> dict[type[Document], Any]:
    """One answer of every shape."""
    order = x1(shop).order
    plan = shop.preview(order, revert_credits=True).json()
    answer = shop.cancel(order, revert_credits=True, notify_customer=True).json()
    return {
        OrderDocument: shop.get(f"/orders/{order}/").json(),
        PlanDocument: plan,
        CancelAnswerDocument: answer,
        RevertDocument: shop.get(f"/reverts/{Revert.unscoped.get().pk}/").json(),
        UndoAnswerDocument: shop.command(f"/reverts/{Revert.unscoped.get().pk}/undo/", {}).json(),
        EntryDocument: shop.get(f"/orders/{order}/timeline/").json()["results"][0],
        ReinstateAnswerDocument: shop.reinstate(order, "none").json(),
        BulkAnswerDocument: shop.command("/orders/bulk-cancel/", {"ids": [order]}).json(),
    }


def test_what_is_described_is_what_is_answered(answers: dict[type[Document], Any]) -> None:
    for document, answer in answers.items():
        _same(_members(document()), answer, document.__name__)


def test_the_schema_has_every_operation(shop: Shop) -> None:
    paths = shop.get("/schema/").json()["paths"]

    operations = {f"{method} {path}" for path, item in paths.items() for method in item}
    assert operations >= {
        "get /api/v1/orders/",
        "post /api/v1/orders/",
        "get /api/v1/orders/{order_id}/",
        "patch /api/v1/orders/{order_id}/",
        "post /api/v1/orders/{order_id}/cancel/preview/",
        "post /api/v1/orders/{order_id}/cancel/",
        "post /api/v1/orders/{order_id}/return/",
        "post /api/v1/orders/{order_id}/reinstate/",
        "post /api/v1/orders/bulk-cancel/",
        "get /api/v1/orders/{order_id}/timeline/",
        "get /api/v1/reverts/",
        "get /api/v1/reverts/{revert_id}/",
        "post /api/v1/reverts/{revert_id}/undo/",
        "post /api/v1/orders/{order_id}/dismiss-revert/",
        "delete /api/v1/orders/{order_id}/dismiss-revert/",
    }
