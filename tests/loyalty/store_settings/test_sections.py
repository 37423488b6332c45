"""Reading settings that another release saved (H4): nothing raises, nothing unknown is lost, doubt does nothing."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.store_settings.save import change_settings
from loyalty.store_settings.sections import (
    StoreSettings,
    current_settings,
    not_understood,
    settings_by_store,
    settings_from_json,
    settings_to_json,
)
from loyalty.stores.models import SettingsVersion
from tests import factories
from tests.factories import ACTOR, BEFORE, NOW

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
PATHS = [
    (section, name)
    for section, values in settings_to_json(StoreSettings()).items()
    if isinstance(values, dict)
    for name in (*values, "named_by_a_newer_release")
]


@given(path=st.sampled_from(PATHS), value=JSON)
def test_h4_any_value_of_any_field_is_read(path: tuple[str, str], value: Any) -> None:
    section, name = path
    read = settings_from_json({section: {name: value}, "a_newer_section": value}, version=3)
    # What was read is something that this release could have saved itself.
    assert settings_from_json(settings_to_json(read), version=3) == read


@given(data=st.dictionaries(st.sampled_from([section for section, _ in PATHS]), JSON))
def test_h4_any_section_is_read(data: dict[str, Any]) -> None:
    assert settings_from_json(data, version=1).version == 1


def test_h4_what_this_release_saves_it_understands() -> None:
    assert not_understood(settings_to_json(StoreSettings())) == []


@pytest.mark.parametrize(
    ("data", "cautious"),
    [
        ({"auto_cancel": {"failed": "ask_the_customer"}}, lambda read: read.auto_cancel.failed == "off"),
        ({"auto_cancel": {"expired": 5}}, lambda read: read.auto_cancel.expired == "off"),
        ({"auto_cancel": {"payment_window_hours": 10**9}}, lambda read: read.auto_cancel.payment_window_hours is None),
        (
            {"auto_cancel": {"expired_lots": {"rules": "some"}}},
            lambda read: read.auto_cancel.expired_lots.rules[0] == "a",
        ),
        ({"spent_revert": {"statuses": "all"}}, lambda read: read.spent_revert.statuses == ()),
        ({"limits": {"support_adjust_points": "much"}}, lambda read: read.limits.support_adjust_points is None),
        ({"earning": {"points_per_unit": "NaN"}}, lambda read: read.earning.points_per_unit is None),
    ],
)
def test_h4_a_value_that_is_not_understood_counts_as_the_cautious_one(data: Any, cautious: Any) -> None:
    assert cautious(settings_from_json(data, version=1))
    assert len(not_understood(data)) == 1


@pytest.mark.django_db
def test_h4_saving_keeps_what_only_a_newer_release_understands() -> None:
    store = factories.make_store()
    newer = {
        "auto_cancel": {"failed": "ask_the_customer", "asks_again": 3},
        "loyalty_tiers": {"gold": 1000},
        "extend": {"max_days": 90},
    }
    SettingsVersion.unscoped.create(store=store, version=1, data=newer, actor=ACTOR.ref, created_at=BEFORE)

    change_settings(
        store=store, patch={"extend": {"default_days": 7}}, check=lambda merged: merged, actor=ACTOR, now=NOW
    )

    saved = SettingsVersion.objects.for_store(store).get(version=2).data
    assert saved["auto_cancel"]["failed"] == "ask_the_customer"
    assert saved["auto_cancel"]["asks_again"] == 3
    assert saved["loyalty_tiers"] == {"gold": 1000}
    assert (saved["extend"]["default_days"], saved["extend"]["max_days"]) == (7, 90)
    assert current_settings(store).extend.default_days == 7
    assert settings_by_store()[store.pk].auto_cancel.failed == "off"
