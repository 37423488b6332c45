"""Stored keys of tags from before N7 are made anew, and everything else stays."""

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from orders.models import Order
from tests import factories

pytestmark = pytest.mark.django_db
MIGRATION: Any = import_module("orders.migrations.0017_tags_that_look_the_same")


def test_n7_stored_keys_are_made_anew_and_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MIGRATION, "_BATCH", 2)
    store = factories.make_store()
    tags = [["\uff56\uff49\uff50"], ["plain", "e\u0301change"], [], ["no\u00a0blank", "ﬁne"], ["only-ascii"]]
    made = [factories.make_order(None, store=store, tags=some) for some in tags]
    for order in made:
        news = {"statuses": [], "tags": sorted(tag.casefold() for tag in order.tags), "refunded": False}
        old = [tag.strip().casefold() for tag in order.tags]
        Order.unscoped.filter(pk=order.pk).update(tag_keys=old, rules_news=news if order.tags else None)
    before = list(Order.unscoped.order_by("pk").values())
    editor = connection.schema_editor(atomic=False)

    MIGRATION.forwards(apps, editor)

    keys = [["vip"], ["plain", "échange"], [], ["no blank", "fine"], ["only-ascii"]]
    rows = list(Order.unscoped.order_by("pk").values())
    assert [row["tag_keys"] for row in rows] == keys
    assert [row["rules_news"] and row["rules_news"]["tags"] for row in rows] == [sorted(some) or None for some in keys]
    changed = ("tag_keys", "rules_news")
    assert [{**row, **dict.fromkeys(changed)} for row in rows] == [{**row, **dict.fromkeys(changed)} for row in before]

    MIGRATION.backwards(apps, editor)

    again = list(Order.unscoped.order_by("pk").values())
    assert [(row["tag_keys"], row["rules_news"]) for row in again] == [
        (row["tag_keys"], row["rules_news"]) for row in before
    ]
