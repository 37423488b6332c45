"""L8: no day that is typed or sent stops a page of the back-office, on whatever form a new field for one stands."""

import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
import time_machine
from django import forms

from loyalty.backoffice.forms import MomentField
from loyalty.backoffice.lists.filters import DayField
from tests import factories
from tests.loyalty.backoffice.open_everything import owner_of
from tests.loyalty.backoffice.test_every_address import GET_PAGES, Shop

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
_INPUT: Final = re.compile(r"<input\b[^>]*>")
_NAME: Final = re.compile(r'\bname="([^"]+)"')
_OF_TIME: Final = re.compile(r'type="(date|datetime-local)"|vDateField|vTimeField')
NOBODY_MEANS: Final = ("0001-01-01", "9999-12-31", "0001-01-01T00:00", "9999-12-31T23:59", "10000-01-01", "\x00", "-+5")


def _forms(kind: type[forms.BaseForm] = forms.BaseForm) -> Iterator[type[forms.BaseForm]]:
    for below in kind.__subclasses__():
        yield below
        yield from _forms(below)


def test_l8_every_field_for_a_day_refuses_those_that_nobody_means() -> None:
    Shop()
    ours = [form for form in _forms() if form.__module__.startswith(("loyalty.", "orders.", "points.", "credits."))]
    fields = {
        f"{form.__qualname__}.{name}": field
        for form in ours
        for name, field in getattr(form, "base_fields", {}).items()
        if isinstance(field, forms.DateField | forms.DateTimeField)
    }
    assert len(fields) > 8
    assert [name for name, field in fields.items() if not isinstance(field, DayField | MomentField)] == []


def test_l8_extreme_days_stop_no_page_that_asks_for_one() -> None:
    shop = Shop()
    client = owner_of(shop)
    failed, tried = {}, 0
    with time_machine.travel(factories.NOW, tick=False):
        for name in GET_PAGES:
            address = shop.address(name)
            names = _asked_for(client.get(address))
            for typed in NOBODY_MEANS if names else ():
                tried += 1
                sent = dict.fromkeys(names, typed)
                statuses = {client.get(address, sent).status_code, client.post(address, sent).status_code}
                if any(status >= 500 for status in statuses):
                    failed[address] = (typed, statuses)
    assert (failed, tried >= 4 * len(NOBODY_MEANS)) == ({}, True)


def _asked_for(page: Any) -> list[str]:
    if page.status_code != 200 or page.streaming:
        return []
    inputs = _INPUT.findall(page.content.decode())
    return [name[1] for text in inputs if _OF_TIME.search(text) and (name := _NAME.search(text))]
