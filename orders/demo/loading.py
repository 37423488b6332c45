"""Loading the demonstration, once."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Final

from django.db import transaction

from loyalty.store_settings.sections import settings_to_json
from loyalty.stores.actors import Actor
from loyalty.stores.models import Role, SettingsVersion, Store, User
from orders.demo.cast import STORES, DemoStore
from orders.demo.everyday import DAYS, add_everyday_life
from orders.demo.examples import add_examples
from orders.demo.past import Past
from orders.demo.people import make_api_key, make_people
from orders.demo.redeemed import add_redemptions
from orders.demo.shop import Shop

ACTOR: Final = Actor.command("load_demo")
OPENED: Final = timedelta(days=DAYS + 300)


def load(now: datetime) -> list[Store]:
    """Load every store of the demonstration that is not there yet; answers those that were loaded."""
    return [_load_store(plan, now) for plan in STORES if not Store.objects.filter(slug=plan.slug).exists()]


@transaction.atomic
def _load_store(plan: DemoStore, now: datetime) -> Store:
    opened = now - OPENED
    store = Store.objects.create(
        slug=plan.slug,
        name=plan.name,
        currency=plan.currency,
        time_zone=plan.time_zone,
        locale=plan.locale,
        created_at=opened,
    )
    SettingsVersion.objects.for_store(store).create(
        store=store, version=1, data=settings_to_json(plan.settings), actor=ACTOR.ref, created_at=opened
    )
    staff: Mapping[Role, User] = make_people(plan, store)
    shop = Shop(plan, store, staff, make_api_key(store, now=opened), Past(until=now))
    add_everyday_life(shop, Random(plan.slug))  # noqa: S311 - the same customers every time, nothing secret
    add_examples(shop)
    add_redemptions(shop)
    shop.past.play()
    return store
