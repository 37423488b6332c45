"""Giving the web's role the rights that the models declare: runs after every migration, and writes what differs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction
from psycopg import sql

from loyalty.database import policies
from loyalty.database.rights import MIGRATIONS_TABLE, declared_rights
from loyalty.database.triggers import hold_triggers


@dataclass(frozen=True, slots=True)
class Grants:
    """What a role may do with one table or sequence: whole-table privileges, and columns that it may update."""

    privileges: frozenset[str] = frozenset()
    columns: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Table:
    is_sequence: bool
    columns: frozenset[str]


@dataclass(slots=True)
class _Found:
    privileges: set[str] = field(default_factory=set)
    columns: set[str] = field(default_factory=set)


_NOTHING: Final = Grants()
_TABLES: Final = """
SELECT relname, relkind::text, ARRAY(
    SELECT attname::text FROM pg_attribute WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
)
FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'S', 'v', 'm', 'f')
"""
_GRANTED: Final = """
SELECT relname, privilege_type, NULL
FROM pg_class, aclexplode(relacl)
WHERE relnamespace = current_schema()::regnamespace AND grantee = %(role)s::regrole
UNION ALL
SELECT relname, privilege_type, attname
FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped,
    aclexplode(attacl)
WHERE relnamespace = current_schema()::regnamespace AND grantee = %(role)s::regrole
"""
_DEFAULTS: Final = """
SELECT DISTINCT defaclobjtype::text FROM pg_default_acl, aclexplode(defaclacl)
WHERE defaclrole = current_user::regrole AND grantee = %s::regrole AND defaclobjtype IN ('r', 'S')
"""
_KINDS: Final = {"r": "TABLES", "S": "SEQUENCES"}
# PostgreSQL gives a new function to all; one that runs as its owner, who is held to no policy, is the web's alone.
_FUNCTIONS: Final = """
SELECT oid::regprocedure::text FROM pg_proc
WHERE pronamespace = current_schema()::regnamespace AND prosecdef AND (
    SELECT bool_or(grantee = 0) OR NOT bool_or(grantee = %s::regrole)
    FROM aclexplode(coalesce(proacl, acldefault('f', proowner)))
) IS NOT FALSE
"""


def grant_declared_rights(**_signal: object) -> None:
    """Make the web's role's rights what the models declare, and take away every other.

    Runs as the tables' owner. Does nothing where there is no such role (one role does everything then), or where it is
    the web's role itself that migrates.
    """
    role: str = settings.DATABASE_WEB_ROLE
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT current_user = %s OR to_regrole(%s) IS NULL", [role, role])
        if cursor.fetchone() == (True,):
            return
        hold_triggers()
        for statement in [
            *_end_defaults(cursor, role),
            *_differences(cursor, role),
            *_of_functions(cursor, role),
            *policies.statements(cursor),
        ]:
            cursor.execute(statement)


def differences(role: str) -> list[str]:
    """The tables, sequences and functions of the owner of which the role's rights are not as declared."""
    with connection.cursor() as cursor:
        tables, granted, functions = _tables(cursor), _granted(cursor, role), _functions(cursor, role)
    wanted = _wanted(tables)
    wrong = [name for name in tables if granted.get(name, _NOTHING) != wanted.get(name, _NOTHING)]
    return sorted([*wrong, *functions])


def _end_defaults(cursor: Any, role: str) -> Iterator[sql.Composed]:
    """Earlier releases gave the role every new table whole."""
    cursor.execute(_DEFAULTS, [role])
    for (kind,) in cursor.fetchall():
        yield sql.SQL("ALTER DEFAULT PRIVILEGES REVOKE ALL ON {} FROM {}").format(
            sql.SQL(_KINDS[kind]), sql.Identifier(role)
        )


def _differences(cursor: Any, role: str) -> Iterator[sql.Composed]:
    tables, granted = _tables(cursor), _granted(cursor, role)
    wanted = _wanted(tables)
    for name, table in tables.items():
        grants = wanted.get(name, _NOTHING)
        if granted.get(name, _NOTHING) != grants:
            yield from _statements(name, sql.SQL("SEQUENCE" if table.is_sequence else "TABLE"), grants, role)


def _statements(name: str, kind: sql.SQL, grants: Grants, role: str) -> Iterator[sql.Composed]:
    on, who = sql.SQL("{} {}").format(kind, sql.Identifier(name)), sql.Identifier(role)
    # Taking a table's privilege away takes those of its columns away, too.
    yield sql.SQL("REVOKE ALL ON {} FROM {}").format(on, who)
    if grants.privileges:
        words = sql.SQL(", ").join(sql.SQL(word) for word in sorted(grants.privileges))
        yield sql.SQL("GRANT {} ON {} TO {}").format(words, on, who)
    if grants.columns:
        columns = sql.SQL(", ").join(sql.Identifier(column) for column in sorted(grants.columns))
        yield sql.SQL("GRANT UPDATE ({}) ON {} TO {}").format(columns, on, who)


def _of_functions(cursor: Any, role: str) -> Iterator[sql.Composed]:
    for name in _functions(cursor, role):
        # With the types of what it is given, quoted by the server.
        on = sql.SQL("FUNCTION {}").format(sql.SQL(name))
        yield sql.SQL("REVOKE ALL ON {} FROM PUBLIC").format(on)
        yield sql.SQL("GRANT EXECUTE ON {} TO {}").format(on, sql.Identifier(role))


def _wanted(tables: Mapping[str, _Table]) -> dict[str, Grants]:
    wanted = {name: Grants(frozenset({"USAGE"})) for name, table in tables.items() if table.is_sequence}
    wanted[MIGRATIONS_TABLE] = Grants(frozenset({"SELECT"}))
    for model, rights in declared_rights():
        words = {"SELECT": True, "INSERT": rights.adds, "DELETE": rights.deletes}
        privileges = frozenset(word for word, given in words.items() if given)
        # Half-way through the migrations a table may be without some of its columns.
        here = tables[model._meta.db_table].columns if model._meta.db_table in tables else frozenset()
        wanted[model._meta.db_table] = Grants(privileges, rights.columns(model) & here)
    return wanted


def _tables(cursor: Any) -> dict[str, _Table]:
    cursor.execute(_TABLES)
    return {name: _Table(kind == "S", frozenset(columns)) for name, kind, columns in cursor.fetchall()}


def _functions(cursor: Any, role: str) -> list[str]:
    """Functions that run as their owner and are everybody's, or not the role's."""
    cursor.execute(_FUNCTIONS, [role])
    return [name for (name,) in cursor.fetchall()]


def _granted(cursor: Any, role: str) -> dict[str, Grants]:
    found: dict[str, _Found] = {}
    cursor.execute(_GRANTED, {"role": role})
    for name, privilege, column in cursor.fetchall():
        of_table = found.setdefault(name, _Found())
        if column is None:
            of_table.privileges.add(privilege)
        else:
            of_table.columns.add(column if privilege == "UPDATE" else f"{privilege} {column}")
    return {name: Grants(frozenset(it.privileges), frozenset(it.columns)) for name, it in found.items()}
