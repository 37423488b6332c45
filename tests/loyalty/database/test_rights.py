"""What the web's role may do, tried with direct SQL on every table (H1): history is added to, and never changed."""

from collections.abc import Iterator
from typing import Any, Final

import psycopg
import pytest
from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from psycopg.errors import InsufficientPrivilege

from loyalty.database.granting import differences, grant_declared_rights
from loyalty.database.rights import MIGRATIONS_TABLE, Rights, declared_rights
from loyalty.embedded.layout import OWNER_ROLE
from loyalty.notices.models import Notice
from loyalty.stores.models import Customer, Remark
from tests import factories
from tests.database import as_owner, connect_as_the_web

RIGHTS: Final = {model._meta.db_table: (model, rights) for model, rights in declared_rights()}
# The contract: what may change of each table of history. A wider right than these is a decision, not a detail.
HISTORY: Final[dict[str, set[str]]] = {
    "credits_creditmovement": set(),
    "points_pointmovement": set(),
    "journal_journalentry": set(),
    "orders_revert": set(),
    "orders_revertundo": set(),
    "stores_settingsversion": set(),
    "notices_reminder": set(),
    # The customer only where he was merged (O7), the order once (R7); triggers see to both, and look away for nobody.
    "credits_creditlot": {"remaining", "booked_off", "customer_id"},
    "points_pointlot": {"remaining", "booked_off", "customer_id"},
    "credits_creditallocation": {"returned", "order_id"},
    "points_pointallocation": {"returned", "order_id"},
    # Emptied when a person is erased.
    "stores_remark": {"reason", "note"},
    "orders_codeuse": {"settled_at"},
}


@pytest.fixture
def web(transactional_db: None) -> Iterator[psycopg.Connection]:
    with connect_as_the_web() as session:
        yield session


def allows(web: psycopg.Connection, statement: str) -> bool:
    """Whether PostgreSQL would carry the statement out; that is asked before any row is looked at."""
    try:
        web.execute(statement)
    except InsufficientPrivilege:
        return False
    return True


def test_h1_every_table_declares_what_may_be_done_with_it() -> None:
    tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    assert tables == set(RIGHTS)


@pytest.mark.django_db
def test_h1_the_database_grants_what_is_declared_and_nothing_else() -> None:
    assert differences(settings.DATABASE_WEB_ROLE) == []


@pytest.mark.parametrize("table", sorted(HISTORY))
def test_h1_history_is_added_to_and_never_changed(table: str) -> None:
    model, rights = RIGHTS[table]
    assert (rights.adds, rights.deletes, set(rights.columns(model))) == (True, False, HISTORY[table])


def test_h1_direct_sql_can_do_what_is_declared_and_nothing_else(web: psycopg.Connection) -> None:
    # None of what follows asks a trigger.
    web.execute("SELECT set_config('pgtrigger.ignore', '{' || string_agg(tgname, ',') || '}', false) FROM pg_trigger")
    wrong = []
    for table, (model, rights) in RIGHTS.items():
        may: dict[str, bool] = {f'SELECT 1 FROM "{table}" LIMIT 0': True}
        may[f'INSERT INTO "{table}" (id) SELECT id FROM "{table}" LIMIT 0'] = rights.adds
        may[f'DELETE FROM "{table}" WHERE false'] = rights.deletes
        changing = rights.columns(model)
        for field in model._meta.concrete_fields:
            if not field.generated:
                may[f'UPDATE "{table}" SET "{field.column}" = "{field.column}" WHERE false'] = field.column in changing
        may |= dict.fromkeys(owners_statements(table), False)
        wrong += [statement for statement, allowed in may.items() if allows(web, key(statement, model)) != allowed]
    assert wrong == []


@pytest.mark.django_db
def test_h1_nothing_is_granted_to_everybody() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class, aclexplode(relacl) "
            "WHERE grantee = 0 AND relnamespace = 'public'::regnamespace AND relkind <> 'v'"
        )
        assert cursor.fetchall() == []
        # What runs as its owner is held to no policy, and a new function is everybody's until it is taken away.
        cursor.execute(
            "SELECT proname, EXISTS (SELECT FROM aclexplode(coalesce(proacl, acldefault('f', proowner))) "
            "WHERE grantee = 0), has_function_privilege(%s, oid, 'EXECUTE') "
            "FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace ORDER BY proname",
            [settings.DATABASE_WEB_ROLE],
        )
        assert cursor.fetchall() == [("customers_like", False, True), ("orders_tagged", False, True)]


def key(statement: str, model: Any) -> str:
    """The statement, with the table's own key for the id."""
    return statement.replace("(id) SELECT id", f'("{model._meta.pk.column}") SELECT "{model._meta.pk.column}"')


def owners_statements(table: str) -> list[str]:
    """What only the owner of a table may do."""
    return [
        f'TRUNCATE "{table}"',
        f'ALTER TABLE "{table}" DISABLE TRIGGER ALL',
        f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY',
        f'ALTER TABLE "{table}" ADD COLUMN more int',
        f'DROP TABLE "{table}"',
        f'CREATE TRIGGER mine BEFORE INSERT ON "{table}" EXECUTE FUNCTION suppress_redundant_updates_trigger()',
        f'CREATE POLICY mine ON "{table}"',
    ]


def test_h1_no_trigger_can_be_dropped_and_no_function_replaced(web: psycopg.Connection) -> None:
    triggers = web.execute(
        "SELECT tgname, tgrelid::regclass, tgfoid::regproc FROM pg_trigger WHERE NOT tgisinternal"
    ).fetchall()
    assert len(triggers) > 10
    for name, table, function in triggers:
        assert not allows(web, f'DROP TRIGGER "{name}" ON {table}')
        assert not allows(web, f"DROP FUNCTION {function}() CASCADE")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("credits_creditmovement", "amount = 1"),
        ("points_pointlot", "granted = 1"),
        ("points_pointlot", "customer_id = customer_id + 1"),
        ("points_pointallocation", "order_id = order_id + 1"),
    ],
)
def test_h1_no_trigger_looks_away_not_even_for_the_owner(table: str, change: str) -> None:
    customer = factories.make_customer(factories.make_store())
    factories.grant("credits", customer, 10)
    factories.grant("points", customer, 10)
    factories.make_order(customer, credits="10", points=10)
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SELECT set_config('pgtrigger.ignore', array_agg(tgname)::text, true) FROM pg_trigger")
        with pytest.raises(DatabaseError, match=r"Cannot update|cannot change hands"):
            cursor.execute(f"UPDATE {table} SET {change}")


@pytest.mark.parametrize(
    "statement",
    [
        "SET session_replication_role = replica",
        f"SET ROLE {OWNER_ROLE}",
        "SET SESSION AUTHORIZATION postgres",
        f"GRANT {OWNER_ROLE} TO {settings.DATABASE_WEB_ROLE}",
        f"ALTER ROLE {settings.DATABASE_WEB_ROLE} SUPERUSER",
        "ALTER SYSTEM SET fsync = off",
        "CREATE TABLE mine ()",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE SCHEMA mine",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "SELECT pg_read_file('/etc/passwd')",
        f"UPDATE {MIGRATIONS_TABLE} SET name = name WHERE false",
        f"INSERT INTO {MIGRATIONS_TABLE} (app, name, applied) VALUES ('orders', 'never', now())",
        "SELECT setval(pg_get_serial_sequence('credits_creditlot', 'id'), 1)",
    ],
)
def test_h1_the_web_role_cannot_become_more(web: psycopg.Connection, statement: str) -> None:
    assert not allows(web, statement)


@pytest.mark.django_db
def test_h1_rights_that_differ_are_set_right_by_the_next_migration() -> None:
    role = settings.DATABASE_WEB_ROLE
    with as_owner(), connection.cursor() as cursor:
        # As a release before this one left it.
        cursor.execute(f"ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}")
        cursor.execute(f"GRANT UPDATE, TRUNCATE ON credits_creditmovement TO {role}")
        cursor.execute(f"GRANT UPDATE (granted) ON points_pointlot TO {role}")
        cursor.execute(f"REVOKE INSERT ON orders_revert FROM {role}")
        cursor.execute("CREATE TABLE nobodys ()")
        cursor.execute("GRANT EXECUTE ON FUNCTION orders_tagged TO PUBLIC")
        tables = ["credits_creditmovement", "nobodys", "orders_revert", "points_pointlot"]
        assert differences(role) == sorted([*tables, "orders_tagged(bigint,text[])"])
        grant_declared_rights()
        assert differences(role) == []
        cursor.execute("CREATE TABLE new ()")
        assert differences(role) == []
        cursor.execute(f"REVOKE EXECUTE ON FUNCTION customers_like FROM {role}")
        assert differences(role) == ["customers_like(bigint,text)"]


def test_names_of_fields_become_columns() -> None:
    model, _ = RIGHTS["orders_codeuse"]
    assert Rights(changes=("order",)).columns(model) == {"order_id"}
    assert Rights(all_but=("redemption", "outcome")).columns(model) == {"order_id", "settled_at", "created_at"}
    assert Rights().columns(model) == set()


@pytest.fixture
def sent() -> Notice:
    store = factories.make_store()
    notice: Notice = Notice.unscoped.create(
        store=store,
        customer=factories.make_customer(store),
        to_email="ana@example.org",
        subject="Back",
        text="Your credits are back.",
        html="<p>Your credits are back.</p>",
        message_id="one@example.org",
        status="sent",
        sent_at=factories.NOW,
        created_at=factories.NOW,
    )
    return notice


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        {"text": "Nothing came back."},
        {"to_email": ""},
        {"status": "queued", "sent_at": None, "next_attempt_at": factories.NOW},
        {"attempts": 7, "to_email": "", "subject": "Erased", "text": "", "html": ""},
    ],
)
def test_h3_a_notice_that_was_sent_says_for_ever_what_was_sent(sent: Notice, change: dict[str, Any]) -> None:
    with pytest.raises(DatabaseError, match="stays as it was"):
        Notice.unscoped.filter(pk=sent.pk).update(**change)


@pytest.mark.django_db
def test_h3_a_sent_notice_is_emptied_with_its_customer(sent: Notice) -> None:
    assert Notice.unscoped.filter(pk=sent.pk).update(to_email="", subject="Erased", text="", html="") == 1
    assert Notice.unscoped.filter(pk=sent.pk).update(to_email="", subject="Erased", text="", html="") == 1


@pytest.mark.django_db
def test_h3_a_sent_notice_goes_along_with_a_customer_who_is_merged(sent: Notice) -> None:
    kept = factories.make_customer(sent.store)
    with pytest.raises(DatabaseError, match="stays as it was"), transaction.atomic():
        Notice.unscoped.filter(pk=sent.pk).update(customer=kept)
    Customer.unscoped.filter(pk=sent.customer_id).update(merged_into=kept, merged_at=factories.NOW)
    assert Notice.unscoped.filter(pk=sent.pk).update(customer=kept) == 1


@pytest.mark.django_db
def test_h1_a_remark_is_emptied_or_stays() -> None:
    store = factories.make_store()
    remark = Remark.unscoped.create(store=store, reason="late", note="called", created_at=factories.NOW)
    with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
        Remark.unscoped.filter(pk=remark.pk).update(note="")
    assert Remark.unscoped.filter(pk=remark.pk).update(reason="", note="") == 1
