"""L8: nothing that is stored stops a page, a list, a file or an answer."""

from typing import Any

import pytest
import time_machine
from django.contrib import admin

from loyalty.backoffice.lists.filters import FormFilter
from loyalty.web.addresses import page_of
from tests import factories
from tests.loyalty.backoffice.extreme_rows import PROFILES, go_to
from tests.loyalty.backoffice.open_everything import look_at_everything, owner_of
from tests.loyalty.backoffice.test_every_address import GET_PAGES, Shop

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
TYPED = ("0001-01-01", "9999-12-31", "\x00", "9" * 30, "-+5" + "x" * 5000)


@pytest.mark.parametrize("profile", PROFILES)
def test_l8_everything_is_shown_however_far_out_it_is(profile: str) -> None:
    shop = Shop()
    factories.grant("credits", shop.customer, "7", currency="JPY")
    assert go_to(profile) > 100
    with time_machine.travel(factories.NOW, tick=False):
        seen, failed = look_at_everything(shop)
    assert (failed, seen > 100) == ({}, True)


@pytest.mark.parametrize("typed", TYPED, ids=lambda typed: ascii(typed)[:12])
def test_l8_nothing_typed_into_a_filter_or_a_search_stops_a_list(typed: str) -> None:
    shop = Shop()
    client = owner_of(shop)
    failed = {}
    for model, shown in admin.site._registry.items():
        name = f"{model._meta.app_label}_{model._meta.model_name}_changelist"
        if name in GET_PAGES:
            query = dict.fromkeys((*_filters(shown), "p", "o"), typed)
            answers = [client.get(page_of(shop.store, f"admin:{name}"), asked) for asked in (query, {"q": typed})]
            failed[name] = {answer.status_code for answer in answers} - {200, 302}
    assert not any(failed.values()), failed


def _filters(shown: Any) -> list[str]:
    forms = [item.form_class for item in shown.list_filter if isinstance(item, type) and issubclass(item, FormFilter)]
    return [name for form in forms for name in form.base_fields]
