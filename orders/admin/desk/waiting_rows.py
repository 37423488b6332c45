"""What of all kinds failed and waits to be tried again, newest first: one query, whatever there is of it."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from django.db.models import BigIntegerField, DateTimeField, F, Field, QuerySet, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast
from django.urls import reverse
from django.utils.translation import gettext as _

from loyalty.accounts.letters import WAITING as LETTERS
from loyalty.jobs.waiting import Waiting
from loyalty.languages.own_names import own_words
from loyalty.languages.retell import retell
from loyalty.notices.deliver import WAITING as NOTICES
from loyalty.outbox.retry import WAITING as MESSAGES
from loyalty.platforms.webhooks.replay import WAITING as DELIVERIES
from loyalty.stores.dates import show_moment
from loyalty.stores.models import Store
from loyalty.webhooks.replay import WAITING as WEBHOOKS
from orders.services.automation.problems import CUSTOMERS, ORDERS
from orders.services.intake.poll import WAITING as POLLS

# One more kind is one more name here, and its page below where it has one.
KINDS: Final[dict[str, Waiting]] = {
    kind.key: kind for kind in (MESSAGES, NOTICES, DELIVERIES, POLLS, WEBHOOKS, LETTERS, ORDERS, CUSTOMERS)
}
_OWN_PAGES: Final = {
    DELIVERIES.key: "admin:platforms_inbounddelivery_change",
    POLLS.key: "admin:platforms_platformconnection_change",
    WEBHOOKS.key: "admin:webhooks_webhookdelivery_change",
}
_LISTS: Final = {MESSAGES.key: "admin:outbox_message_changelist", LETTERS.key: "admin:stores_membership_changelist"}
_LONGEST_ERROR: Final = 500


def waiting(store: Store, kinds: Sequence[Waiting], *, given_up: bool | None = None) -> "QuerySet[Any]":
    """What of these kinds waits in the store, newest first; of them those that are given up, or those that are not."""
    first, *others = [_found(kind, store, given_up) for kind in kinds]
    return first.union(*others, all=True).order_by("-found_since", "found_kind", "-found_key")


def _found(kind: Waiting, store: Store, given_up: bool | None) -> "QuerySet[Any]":
    """The rows of one kind in the columns that all share."""
    rows: QuerySet[Any] = kind.rows(store).order_by()
    if given_up is not None:
        rows = rows.filter(**{f"{kind.column('next_attempt_at')}__isnull": given_up})
    has = {field.name for field in rows.model._meta.concrete_fields}
    columns: dict[str, tuple[str | Combinable | None, Field[Any, Any]]] = {
        "about": (kind.about, TextField()),
        "order_id": ("order_id" if "order" in has else None, BigIntegerField()),
        "order": ("order__number" if "order" in has else None, TextField()),
        "customer_id": ("customer_id" if "customer" in has else None, BigIntegerField()),
        "customer": ("customer__name" if "customer" in has else None, TextField()),
        "since": (kind.column("created_at"), DateTimeField()),
        "attempts": (kind.column("attempts"), BigIntegerField()),
        "error": (kind.column("last_error"), TextField()),
        "turn": (kind.column("next_attempt_at"), DateTimeField()),
    }
    found: dict[str, Any] = {"found_kind": Value(kind.key), "found_key": F("pk")}
    for name, (path, as_) in columns.items():
        found[f"found_{name}"] = Cast(F(path) if isinstance(path, str) else path or Value(None), as_)
    shared: QuerySet[Any] = rows.annotate(**found).values_list(*found, named=True)
    return shared


def rows_of(page: Iterable[Any], store: Store, may_try: Collection[str], now: datetime) -> list[dict[str, Any]]:
    """What was found, for the template; ``may_try`` are the kinds that this person may try again."""
    return [_row(found, store, now) | {"may_try": found.found_kind in may_try} for found in page]


def _row(found: Any, store: Store, now: datetime) -> dict[str, Any]:
    kind = KINDS[found.found_kind]
    is_due = found.found_turn is not None and found.found_turn <= now
    return {
        "kind": kind.key,
        "key": found.found_key,
        "label": own_words(kind.label),
        "what": kind.says(found.found_about or "") or own_words(kind.label),
        "page": _page(found),
        "order": found.found_order,
        "order_id": found.found_order_id,
        "customer": found.found_customer or _("Customer without a name"),
        "customer_id": found.found_customer_id,
        "since": show_moment(found.found_since, store) or "–",
        "attempts": found.found_attempts,
        "error": retell(found.found_error)[:_LONGEST_ERROR],
        "given_up": found.found_turn is None,
        "turn": _("within a minute") if is_due else show_moment(found.found_turn, store),
    }


def _page(found: Any) -> str:
    """The page of the row itself, or of the list that it is in; empty where its order's or customer's page is all."""
    if found.found_kind in _OWN_PAGES:
        return reverse(_OWN_PAGES[found.found_kind], args=[found.found_key])
    return reverse(_LISTS[found.found_kind]) if found.found_kind in _LISTS else ""
