"""Every body of the API reads JSON for what it is: a field that reads more than it says fails here."""

from collections.abc import Iterator
from typing import Any

import pytest
from rest_framework import serializers

from loyalty.api.values import Body
from tests.loyalty.api.addresses import ADDRESSES
from tests.loyalty.api.support import ApiClient

# The framework's own take 7 for “7”, “true” for true, and the other way round.
LENIENT = (
    serializers.BooleanField,
    serializers.CharField,
    serializers.DateField,
    serializers.DateTimeField,
    serializers.DecimalField,
    serializers.EmailField,
    serializers.FloatField,
    serializers.IntegerField,
    serializers.SlugField,
    serializers.URLField,
)


def _bodies(body: type[Body] = Body) -> Iterator[type[Body]]:
    for below in body.__subclasses__():
        yield below
        yield from _bodies(below)


def _fields(field: Any, name: str) -> Iterator[tuple[str, type[Any]]]:
    yield name, type(field)
    if hasattr(field, "child"):
        yield from _fields(field.child, f"{name}[]")


def test_no_body_has_a_field_that_takes_one_kind_of_value_for_another() -> None:
    assert ADDRESSES, "every view, and with it every body, is defined by now"
    fields = [
        found
        for body in _bodies()
        for name, field in body().fields.items()
        for found in _fields(field, f"{body.__qualname__}.{name}")
    ]
    assert len(fields) > 100
    assert [name for name, kind in fields if kind in LENIENT] == []


@pytest.mark.parametrize("name", [7, True, 1.5, ["x"], {"x": 1}])
def test_what_is_no_text_is_not_made_one(api: ApiClient, name: Any) -> None:
    answer = api.send("POST", "/customers/", {"name": name})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/name")


@pytest.mark.parametrize(("amount", "status"), [(100, 201), (100.0, 201), (100.5, 422), ("100", 422)])
def test_a_whole_number_is_one_however_json_writes_it(api: ApiClient, customer: Any, amount: Any, status: int) -> None:
    answer = api.command(f"/customers/{customer.pk}/points/", {"amount": amount, "reason": "gift"})
    assert answer.status_code == status
