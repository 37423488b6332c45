"""Erasing people: whatever names a customer goes, and every sum in the books stays as it is.

Lots, movements, orders and the journal hold no personal data: they point to the customer, who stays as a row without
name and address. What people typed about him, what was written to him, and stored answers that quote him are emptied.
"""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from loyalty.api.models import CommandAnswer
from loyalty.customers.identify import has_platform_id
from loyalty.customers.merged import leading_to
from loyalty.journal.models import JournalEntry
from loyalty.journal.record import Event, Happening, record
from loyalty.ledger.registry import KINDS, ledger_of
from loyalty.notices.models import Notice, NoticeStatus
from loyalty.stores.actors import Actor
from loyalty.stores.models import Customer, PlatformId, Remark, Store

# Under these names answers quote a person; that a text is the same elsewhere means nothing.
_QUOTED: Final = frozenset({"email", "name", "phone"})
NAMED: Final = (
    Q(external_id__isnull=False) | ~Q(email="") | ~Q(name="") | ~Q(phone="") | ~Q(locale="") | has_platform_id()
)


def erase_customers(*, store: Store, customer_ids: Collection[int], actor: Actor, now: datetime) -> int:
    """Erase these customers of ``store``; answers how many there were to erase. Must run in a transaction.

    Everybody who is one person with them goes with them (O7).
    A repeat finds nothing more to do. Notices that still waited are not sent.
    """
    everybody: QuerySet[Customer] = Customer.objects.for_store(store)
    kept = leading_to(everybody.filter(pk__in=customer_ids))
    rows = everybody.filter(NAMED, Q(pk__in=kept) | Q(merged_into__in=kept)).order_by("pk")
    customers: list[Customer] = list(rows.select_for_update(no_key=True))
    if not customers:
        return 0
    ids = [customer.pk for customer in customers]
    _empty_remarks(store, ids)
    _empty_notices(store, ids)
    _empty_answers(store, customers)
    Customer.objects.for_store(store).filter(pk__in=ids).update(
        external_id=None, email="", name="", phone="", locale="", updated_at=now
    )
    PlatformId.objects.for_store(store).filter(customer_id__in=ids).delete()
    record([Happening(store.pk, Event.CUSTOMER_ERASED, customer_id=pk) for pk in ids], actor=actor, now=now)
    return len(ids)


def _empty_remarks(store: Store, ids: Sequence[int]) -> None:
    about = Q(customer_id__in=ids) | Q(order__customer_id__in=ids)
    entries = JournalEntry.objects.for_store(store).filter(about, remark__isnull=False)
    remarks = Remark.objects.for_store(store)
    remarks.filter(pk__in=entries.values("remark_id")).update(reason="", note="")
    for ledger in map(ledger_of, KINDS):
        # What came with an import is in no entry of the journal.
        movements = ledger.tables.movement.objects.for_store(store).filter(customer_id__in=ids, remark__isnull=False)
        remarks.filter(pk__in=movements.values("remark_id")).update(reason="", note="")


def _empty_notices(store: Store, ids: Sequence[int]) -> None:
    notices = Notice.objects.for_store(store).filter(customer_id__in=ids)
    notices.filter(status=NoticeStatus.QUEUED).update(
        status=NoticeStatus.FAILED, next_attempt_at=None, last_error=_("The customer was erased before it was sent.")
    )
    notices.update(to_email="", subject="Erased", text="", html="")


def _empty_answers(store: Store, customers: Sequence[Customer]) -> None:
    """Take the people out of the answers that are kept for a repeated command; the rest must stay repeatable."""
    words = {str(value) for customer in customers for name in _QUOTED if (value := getattr(customer, name))}
    # In an answer a text stands as JSON writes it.
    needles = [json.dumps(word, ensure_ascii=False).encode() for word in words]
    answers = CommandAnswer.objects.for_store(store).extra(
        where=["EXISTS (SELECT 1 FROM unnest(%s::bytea[]) AS needle WHERE position(needle IN body) > 0)"],
        params=[needles],
    )
    for answer in answers.order_by("pk").select_for_update():
        answer.body = json.dumps(_without(json.loads(bytes(answer.body)), words), ensure_ascii=False).encode()
        answer.save(update_fields=["body"])


def _without(value: Any, words: Collection[str]) -> Any:
    if isinstance(value, list):
        return [_without(inner, words) for inner in value]
    if not isinstance(value, dict):
        return value
    return {
        name: "" if name in _QUOTED and isinstance(inner, str) and inner in words else _without(inner, words)
        for name, inner in value.items()
    }
