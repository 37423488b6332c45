"""How long the rows of each table are kept: declared on the model, beside what may be done with them.

``Kept`` says for how many days and why, or that something is kept for ever. The job ``loyalty.prune`` goes by it,
``manage.py show_retention`` prints it, and ``RETENTION_DAYS`` in the environment changes the days where nothing depends
on them. A test fails for a table that declares nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.db.models import DateField, DateTimeField, Model, Q, QuerySet
from django.utils.module_loading import import_string

from loyalty.database.rights import MIGRATIONS_TABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """How long the rows of one table are kept, and why so long.

    ``days`` are counted from the moment in the column ``since``; those that ``unless`` is true of stay (a condition, or
    where it stands). ``least``: for fewer days something else would break. ``emptied``: the row stays and only these
    words go. ``along``: a table, and its column, whose rows go before theirs. ``by``: a function that deletes them by
    rules and days of its own, and answers how many. Without days they are kept for ever, or go with others.
    """

    why: str
    days: int | None = None
    least: int = 1
    since: str = "created_at"
    unless: Q | str = field(default_factory=Q)
    along: tuple[str, str] | None = None
    emptied: Mapping[str, str] | None = None
    by: str = ""
    words: str = "for ever"

    def days_of(self, model: type[Model]) -> int | None:
        """For how many days, as this installation has it."""
        asked = settings.RETENTION_DAYS.get(model._meta.label)
        return self.days if asked is None else int(asked)

    def over(self, model: type[Model], now: datetime) -> "QuerySet[Any] | None":
        """The rows whose time is over at ``now``; None where there never are any."""
        days = self.days_of(model)
        if days is None:
            return None
        before: Any = now - timedelta(days=days)
        column: Any = model._meta.get_field(self.since.partition("__")[0])
        if isinstance(column, DateField) and not isinstance(column, DateTimeField):
            before = before.date()
        rows: QuerySet[Any] = every_row(model).filter(**{f"{self.since}__lt": before})
        unless = import_string(self.unless) if isinstance(self.unless, str) else self.unless
        rows = rows.exclude(unless) if unless else rows
        return rows.exclude(**self.emptied) if self.emptied else rows


def for_ever(why: str) -> Kept:
    """That rows are never deleted by themselves."""
    return Kept(why=why)


def while_needed(why: str) -> Kept:
    """That rows go with what they belong to, or as soon as what they are for is done."""
    return Kept(why=why, words="while needed")


# Tables that come with packages have no model of ours to stand on.
_FEW: Final = for_ever("few, and changed by hand or by a release")
OF_PACKAGES: Final[Mapping[str, Kept]] = {
    "django_content_type": _FEW,
    "auth_permission": _FEW,
    "auth_group": _FEW,
    "auth_group_permissions": _FEW,
    "stores_user_groups": _FEW,
    "stores_user_user_permissions": _FEW,
    "django_admin_log": for_ever("who changed what by hand; nothing is written there in daily work"),
    "django_session": Kept(days=1, since="expire_date", why="a session that has ended lets nobody in"),
    "usersessions_usersession": Kept(days=30, since="last_seen_at", why="where somebody is signed in; ended by then"),
    "account_emailconfirmation": Kept(days=30, since="created", why="a link that counts no more"),
    "account_emailaddress": while_needed("as long as the account"),
    "mfa_authenticator": while_needed("as long as the account"),
    "socialaccount_socialapp": _FEW,
    "socialaccount_socialaccount": while_needed("as long as the account"),
    "socialaccount_socialtoken": while_needed("as long as the account"),
}


def every_row(model: type[Model]) -> "QuerySet[Any]":
    """The rows of a table, of whichever store; to be asked while every store is named."""
    rows: QuerySet[Any] = getattr(model, "unscoped", model._default_manager).all()
    return rows


def kept_of(model: type[Model]) -> Kept | None:
    """What is declared of a model's rows; None where nothing is."""
    declared: Kept | None = getattr(model, "retention", None) or OF_PACKAGES.get(model._meta.db_table)
    return declared


def all_kept() -> Iterator[tuple[type[Model], Kept]]:
    """Every table with what is declared of it, by its model's name."""
    models = [model for model in apps.get_models(include_auto_created=True) if not model._meta.proxy]
    for model in sorted(models, key=lambda model: model._meta.label.lower()):
        declared = kept_of(model)
        if declared is not None and model._meta.db_table != MIGRATIONS_TABLE:
            yield model, declared


def in_words() -> Iterator[tuple[str, str, str]]:
    """Each table, how long its rows are kept, and why."""
    for model, kept in all_kept():
        days = kept.days_of(model)
        emptied = ", then without its words" if kept.emptied else ""
        yield model._meta.label, kept.words if days is None else f"{days} days{emptied}", kept.why


def days_that_can_be(*_apps: Any, **_options: Any) -> list[CheckMessage]:
    """What ``RETENTION_DAYS`` asks for is a number of days of a table that is kept for a time."""
    declared = {model._meta.label: kept for model, kept in all_kept()}
    found: list[CheckMessage] = []
    for label, asked in settings.RETENTION_DAYS.items():
        kept = declared.get(label)
        if kept is None or kept.days is None or kept.by:
            known = ", ".join(
                sorted(label for label, kept in declared.items() if kept.days is not None and not kept.by)
            )
            found.append(_wrong(f"{label} is no table whose days can be chosen. These are: {known}."))
        elif not asked.isdecimal() or int(asked) < kept.least:
            found.append(_wrong(f"{label} is kept for {kept.least} days at least, and not for “{asked}”."))
    return found


def _wrong(what: str) -> Error:
    hint = "Set RETENTION_DAYS to pairs such as notices.Notice=365,orders.BulkCancel=90."
    return Error(f"RETENTION_DAYS: {what}", hint=hint, id="loyalty.E003")
