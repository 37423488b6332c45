"""Webhooks that a platform took away are made again, daily, without anybody asking."""

from datetime import UTC, datetime, timedelta

import pytest

from loyalty.jobs.periodic import found_work, run_job
from loyalty.platforms.connections.check import register_webhooks
from loyalty.platforms.models import PlatformConnection, WebhooksState
from tests.factories import make_store
from tests.platforms_imitated.connecting import connect
from tests.platforms_imitated.shopify import ImitatedShopify
from tests.platforms_imitated.woocommerce import ImitatedWooCommerce

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)
DAY = timedelta(days=1)
ADDRESS = "https://loyalty.example/hooks/shopify/ada/"
JOB = "loyalty.repair_webhooks"


@pytest.fixture
def connection(imitated_shopify: ImitatedShopify) -> PlatformConnection:
    made = connect(imitated_shopify, make_store(), now=NOW)
    register_webhooks(made, address=ADDRESS, now=NOW)
    return made


def again(connection: PlatformConnection) -> PlatformConnection:
    found: PlatformConnection = PlatformConnection.unscoped.get(pk=connection.pk)
    return found


def test_shopifys_deleted_subscriptions_are_made_again_within_a_day(
    connection: PlatformConnection, imitated_shopify: ImitatedShopify
) -> None:
    everything = {hook["topic"] for hook in imitated_shopify.webhooks}
    del imitated_shopify.webhooks[1:]
    assert run_job(JOB, NOW + timedelta(hours=23)) == {"repaired": 0, "unchanged": 0, "failed": 0}
    assert run_job(JOB, NOW + DAY) == {"repaired": 1, "unchanged": 0, "failed": 0}
    assert {hook["topic"] for hook in imitated_shopify.webhooks} == everything
    assert not found_work(run_job(JOB, NOW + DAY))
    assert run_job(JOB, NOW + 2 * DAY)["unchanged"] == 1


def test_one_shop_that_is_down_does_not_stop_the_others(
    connection: PlatformConnection, imitated_shopify: ImitatedShopify, imitated_woocommerce: ImitatedWooCommerce
) -> None:
    other = connect(imitated_woocommerce, make_store(), now=NOW)
    register_webhooks(other, address=ADDRESS, now=NOW)
    imitated_woocommerce.webhooks[0]["status"] = "disabled"
    imitated_shopify.fail_next(500)
    assert run_job(JOB, NOW + DAY) == {"repaired": 1, "unchanged": 0, "failed": 1}
    broken = again(connection)
    assert (broken.webhooks, "problem of its own" in broken.last_error) == (WebhooksState.INCOMPLETE, True)
    assert run_job(JOB, NOW + DAY + timedelta(hours=1))["unchanged"] == 1
    assert again(connection).webhooks == WebhooksState.WORKING


def test_connections_whose_webhooks_nobody_registered_are_left_alone(imitated_shopify: ImitatedShopify) -> None:
    connect(imitated_shopify, make_store(), now=NOW)
    run_job(JOB, NOW + DAY)
    assert not imitated_shopify.asked
