"""What support staff may give and remove in a day, over every way (T7)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import transaction

from loyalty.jobs.prune import prune
from loyalty.ledger.staff_limits import (
    AboveLimit,
    Adjuster,
    check_within_limit,
    left_today,
    lock_left_today,
    note_adjusted,
    words_of_left,
)
from loyalty.store_settings.sections import LimitSettings
from loyalty.stores.models import DayOfAdjusting, Role, Store
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def adjuster(store: Store, role: Role = Role.SUPPORT, **limits: object) -> Adjuster:
    return Adjuster(store, factories.make_user((store, role)), role, LimitSettings(**limits))  # type: ignore[arg-type]


def give(by: Adjuster, amount: int, now: datetime = NOW) -> None:
    with transaction.atomic():
        left = lock_left_today("points", by, now=now)
        check_within_limit("points", amount, currency="", adjuster=by, left=left)
        note_adjusted("points", amount, by, now=now)


def test_t7_gifts_of_a_day_add_up() -> None:
    by = adjuster(factories.make_store())
    give(by, 600)
    assert left_today("points", by, now=NOW) == 400
    with pytest.raises(AboveLimit, match="400 points left today"):
        give(by, 401)
    give(by, 400)
    assert left_today("points", by, now=NOW) == 0


def test_t7_the_day_is_the_stores_own() -> None:
    by = adjuster(factories.make_store(time_zone="Asia/Taipei"))
    late = datetime(2026, 1, 5, 15, 59, tzinfo=UTC)
    give(by, 1000, late)
    assert left_today("points", by, now=late) == 0
    assert left_today("points", by, now=late + timedelta(minutes=1)) == 1000


def test_t7_another_person_store_or_kind_has_a_day_of_its_own() -> None:
    store = factories.make_store()
    by = adjuster(store)
    give(by, 1000)
    assert left_today("points", adjuster(store), now=NOW) == 1000
    assert left_today("credits", by, now=NOW) == Decimal(100)
    elsewhere = factories.make_store()
    assert left_today("points", Adjuster(elsewhere, by.user, Role.SUPPORT, by.limits), now=NOW) == 1000


@pytest.mark.parametrize("role", [Role.MANAGER, Role.OWNER])
def test_t7_who_has_no_limit_is_not_counted(role: Role) -> None:
    by = adjuster(factories.make_store(), role)
    give(by, 10**9)
    assert left_today("points", by, now=NOW) is None
    assert not DayOfAdjusting.unscoped.exists()


def test_t7_a_lower_limit_counts_what_was_given_before() -> None:
    by = adjuster(factories.make_store())
    give(by, 800)
    lower = Adjuster(by.store, by.user, by.role, LimitSettings(support_adjust_points=500))
    assert left_today("points", lower, now=NOW) == 0


def test_t7_viewers_and_stores_without_a_limit_give_nothing() -> None:
    store = factories.make_store()
    for by in (adjuster(store, Role.VIEWER), adjuster(store, support_adjust_points=None)):
        with pytest.raises(AboveLimit, match="Ask a manager"):
            give(by, 1)


def test_t7_another_currency_has_no_limit_to_count_against() -> None:
    by = adjuster(factories.make_store())
    with pytest.raises(AboveLimit, match="USD only"):
        check_within_limit("credits", Decimal(1), currency="EUR", adjuster=by, left=Decimal(100))


def test_t7_what_is_left_is_said_in_words() -> None:
    store = factories.make_store()
    assert words_of_left("points", 400, store) == "400 points left today."
    assert words_of_left("points", 1, store) == "1 point left today."
    assert words_of_left("credits", Decimal("12.5"), store) == "12.50 USD left today."


def test_days_that_are_over_are_deleted() -> None:
    by = adjuster(factories.make_store())
    give(by, 1)
    assert prune(NOW + timedelta(days=7))["stores.dayofadjusting"] == 0
    assert prune(NOW + timedelta(days=8))["stores.dayofadjusting"] == 1
