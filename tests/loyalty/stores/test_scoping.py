"""No row joins two stores, whatever the code does (T1): the managers refuse, and so does the database."""

from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction

from loyalty.proof.stores import same_store_fields
from loyalty.store_settings.sections import ReminderSettings, StoreSettings
from loyalty.stores.models import Customer, Store
from loyalty.stores.scoping import StoreNotNamed, StoreOwned
from orders.services.customers.remind import write_reminders
from orders.services.reverts.choices import CancelChoice, Extension
from tests import factories
from tests.balance_imports import HEADER, carried_out
from tests.database import as_owner

OWNED = [model for model in apps.get_models() if issubclass(model, StoreOwned)]
KEYS = list(same_store_fields())


@pytest.mark.parametrize("model", OWNED, ids=lambda model: model._meta.label)
def test_t1_rows_of_a_store_are_not_had_without_naming_it(model: Any) -> None:
    doors = (model.objects.all, model.objects.count, lambda: model.objects.filter(pk=1), model.objects.first)
    for door in (*doors, model.objects.create):
        with pytest.raises(StoreNotNamed):
            door()


@pytest.mark.django_db
def test_t1_a_store_shows_its_own_rows_alone() -> None:
    mine, other = factories.make_store(), factories.make_store()
    customer = factories.make_customer(mine)
    factories.make_customer(other)
    assert list(Customer.objects.for_store(mine)) == [customer]


def test_t1_every_model_is_of_a_store_or_of_the_platform() -> None:
    ours = {"stores", "journal", "notices", "platforms", "api", "credits", "points", "orders", "loyalty"}
    shared = {model._meta.label for model in apps.get_models() if model._meta.app_label in ours} - {
        model._meta.label for model in OWNED
    }
    assert shared == {"stores.Store", "stores.User", "stores.Membership", "journal.JobRun"}


def plain_references() -> list[str]:
    """References from a store's row to another store's row that are no SameStoreKey."""
    found = []
    for model in OWNED:
        for field in model._meta.get_fields():
            if isinstance(field, models.ForeignKey) and (model, field) not in KEYS:
                related = field.related_model
                if isinstance(related, type) and issubclass(related, StoreOwned):
                    found.append(f"{model._meta.label}.{field.name}")
    return found


def test_t1_rows_of_a_store_refer_to_each_other_by_same_store_keys_only() -> None:
    assert plain_references() == []


@pytest.mark.django_db
@pytest.mark.parametrize(("model", "field"), KEYS, ids=lambda item: getattr(item, "name", None) or item._meta.label)
def test_t1_every_reference_has_a_key_over_store_and_id_in_the_database(model: Any, field: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*) FROM pg_constraint AS key
            WHERE contype = 'f' AND convalidated
                AND conrelid = %s::regclass AND confrelid = %s::regclass
                AND pg_get_constraintdef(oid) LIKE 'FOREIGN KEY (store_id, ' || %s || ') REFERENCES %%(store_id, id)'
            """,
            [model._meta.db_table, field.related_model._meta.db_table, field.column],
        )
        assert cursor.fetchone() == (1,)


def furnish(store: Store) -> None:
    """At least one row of every kind that refers to another, with every reference that there is."""
    customer = factories.make_customer(store)
    for kind in ("credits", "points"):
        factories.grant(kind, customer, 10, until=factories.BEFORE.date())
    order = factories.make_order(customer, credits="4", points=4)
    extend = CancelChoice({"credits": True, "points": True}, dict.fromkeys(("credits", "points"), Extension(days=3)))
    factories.cancel_choosing(order, extend, reason="customer", notify_customer=True)
    factories.make_settings(store, StoreSettings(reminders=ReminderSettings(days_before=7)))
    write_reminders(factories.NOW)


def store_is_implied(model: Any) -> bool:
    """Whether its rows have no key to their store, because another one that is never null implies it."""
    return not model._meta.get_field("store").db_constraint


IMPLIED = list(filter(store_is_implied, OWNED))


@pytest.mark.django_db
@pytest.mark.parametrize("model", IMPLIED, ids=lambda model: model._meta.label)
def test_t1_a_row_of_a_store_that_does_not_exist_is_refused(model: Any) -> None:
    store = factories.make_store()
    furnish(store)
    carried_out(store, HEADER + "7,,Ann,credits,5,USD,,,,\n7,,Ann,points,5,,,,,\n")
    assert [field for of, field in KEYS if of is model and not field.null]
    table = model._meta.db_table
    # A row that differs from one that is there in its store, and in what has to be unique.
    of_no_store = f"""
        INSERT INTO "{table}" SELECT other.* FROM (SELECT * FROM "{table}" ORDER BY id LIMIT 1) AS one,
            jsonb_populate_record(
                NULL::"{table}", to_jsonb(one) || '{{"id": 0, "store_id": 0, "part": 9, "deduction": 9}}'
            ) AS other
    """
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(IntegrityError, match=rf"{table}_\w+_same_store"), transaction.atomic():
            cursor.execute(of_no_store)


def test_t1_the_ledgers_are_among_them() -> None:
    assert {"credits.CreditLot", "points.PointMovement", "orders.BalanceImportKey"} <= {
        model._meta.label for model in IMPLIED
    }


@pytest.mark.django_db
def test_t1_direct_sql_cannot_join_two_stores() -> None:
    mine, other = factories.make_store(), factories.make_store()
    furnish(mine)
    furnish(other)
    tried = set()
    for model, field in KEYS:
        table = model._meta.db_table
        parent: Any = field.related_model
        foreign = parent.objects.for_store(other).values_list("pk", flat=True).first()
        mine_row = model.objects.for_store(mine).filter(**{f"{field.name}__isnull": False}).first()
        if foreign is None or mine_row is None:
            continue
        with as_owner(), connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            # Insert-only tables are unlocked, so that it is the key that refuses.
            cursor.execute(f'ALTER TABLE "{table}" DISABLE TRIGGER USER')
            with pytest.raises(IntegrityError, match=f"{table}_{field.column}_same_store"), transaction.atomic():
                cursor.execute(f'UPDATE "{table}" SET "{field.column}" = %s WHERE id = %s', [foreign, mine_row.pk])
        tried.add((table, field.column))
    assert len(tried) >= 27
