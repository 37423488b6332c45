"""What the web's role may do with each table beside reading it: declared on the model, granted after every migration.

The web and the worker connect as a role that owns nothing. PostgreSQL holds it to the grants made from here, whatever
SQL it sends: a table of history can be added to and not changed, of a lot only what remains changes. A trigger can be
told to look away by whoever may change the row; a right that was never given cannot be taken.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from django.apps import apps
from django.db import models


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What may be done with the rows of one table. Names are those of fields.

    ``changes`` are the only columns that may change; ``all_but`` instead allows every column except these, the id and
    the store. Neither means that rows never change.
    """

    adds: bool = True
    changes: tuple[str, ...] = ()
    all_but: tuple[str, ...] | None = None
    deletes: bool = False

    def columns(self, model: type[models.Model]) -> frozenset[str]:
        """The columns of ``model`` that may change. Raises FieldDoesNotExist for a name that is no field."""
        return _columns(self, model)


@cache
def _columns(rights: Rights, model: type[models.Model]) -> frozenset[str]:
    named = {_column(model._meta.get_field(name)) for name in (*rights.changes, *(rights.all_but or ()))}
    if rights.all_but is None:
        return frozenset(named)
    fields: Iterable[Any] = model._meta.concrete_fields
    changing = {_column(field) for field in fields if not (field.generated or field.primary_key)}
    return frozenset(changing - named - {"store_id"})


def _column(field: Any) -> str:
    column: str = field.column
    return column


INSERT_ONLY: Final = Rights()
READ_ONLY: Final = Rights(adds=False)
_ANYTHING: Final = Rights(all_but=(), deletes=True)

# Tables that come with packages have no model of ours to stand on.
OF_PACKAGES: Final[Mapping[str, Rights]] = {
    # What a release brings; `migrate` fills these.
    "django_content_type": READ_ONLY,
    "auth_permission": READ_ONLY,
    # Roles are ours (`loyalty.stores.roles`); nobody has Django's groups and permissions.
    "auth_group": READ_ONLY,
    "auth_group_permissions": READ_ONLY,
    "stores_user_groups": READ_ONLY,
    "stores_user_user_permissions": READ_ONLY,
    "django_admin_log": INSERT_ONLY,
    "django_session": _ANYTHING,
    "account_emailaddress": _ANYTHING,
    "account_emailconfirmation": _ANYTHING,
    "mfa_authenticator": _ANYTHING,
    "usersessions_usersession": _ANYTHING,
    "socialaccount_socialapp": READ_ONLY,
    "socialaccount_socialaccount": _ANYTHING,
    "socialaccount_socialtoken": _ANYTHING,
}
# Which migrations have run; whoever migrates is the owner.
MIGRATIONS_TABLE: Final = "django_migrations"


def declared_rights() -> Iterator[tuple[type[models.Model], Rights]]:
    """Every table that is ours to write, by its model, with its rights. A model that declares none is left out."""
    for model in apps.get_models(include_auto_created=True):
        rights = getattr(model, "rights", None) or OF_PACKAGES.get(model._meta.db_table)
        if rights is not None and model._meta.managed and not model._meta.proxy:
            yield model, rights
