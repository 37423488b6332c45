"""``manage.py poll_platforms``: a gap is caught up by hand, with counts, and a wrong word is one line of error."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command

from loyalty.stores.models import Store
from orders.models import Order
from tests.factories import make_store
from tests.loyalty.platforms.samples import order
from tests.platforms_imitated.connecting import connect
from tests.platforms_imitated.woocommerce import ImitatedWooCommerce, at

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 1, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def store(imitated_woocommerce: ImitatedWooCommerce) -> Store:
    store = make_store("ada", currency="EUR")
    connect(imitated_woocommerce, store, now=NOW - timedelta(hours=1))
    return store


def run(*words: str) -> str:
    out = StringIO()
    with time_machine.travel(NOW, tick=False):
        call_command("poll_platforms", *words, stdout=out)
    return out.getvalue()


def test_a_week_is_caught_up(store: Store, imitated_woocommerce: ImitatedWooCommerce) -> None:
    days = range(1, 8)
    imitated_woocommerce.put(
        *(at(order("woocommerce", id=day, number=str(day)), NOW - timedelta(days=day, hours=-1)) for day in days)
    )
    said = run("--store", "ada", "--since", "2026-01-13")
    assert said == "WooCommerce: created=7 updated=0 unchanged=0 unreadable=0\n"
    assert Order.objects.for_store(store).count() == 7
    assert "created=0" in run("--store", "ada", "--platform", "woocommerce", "--since", "2026-01-13T00:00:00+08:00")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--store", "nobody"], "no store"),
        (["--store", "ada", "--platform", "shopify"], "not connected to Shopify"),
        (["--store", "ada", "--since", "yesterday"], "neither a past day"),
        (["--store", "ada", "--since", "2026-02-30"], "neither a past day"),
        (["--store", "ada", "--since", "2026-01-13T00:00:00"], "neither a past day"),
        (["--store", "ada", "--since", "2027-01-01"], "neither a past day"),
    ],
)
def test_a_wrong_word_is_one_line_of_error(store: Store, words: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        run(*words)


def test_what_the_platform_refuses_ends_the_command(store: Store, imitated_woocommerce: ImitatedWooCommerce) -> None:
    imitated_woocommerce.fail_next(401, {"message": "no"})
    with pytest.raises(CommandError, match="does not accept the credentials"):
        run("--store", "ada")


def test_a_platform_that_asks_to_slow_down_is_said(store: Store, imitated_woocommerce: ImitatedWooCommerce) -> None:
    imitated_woocommerce.fail_next(429, "", Retry_After="40")
    with pytest.raises(CommandError, match="in 40 seconds"):
        run("--store", "ada")
