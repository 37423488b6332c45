"""What merging two customers would do, and its token: what the page shows before it is confirmed (O7)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.core.digests import digest_of
from loyalty.core.errors import Conflict
from loyalty.ledger.history import history
from loyalty.ledger.ledger import Kind
from loyalty.ledger.planner import Amount
from loyalty.notices.models import Notice, NoticeStatus
from loyalty.privacy.erase import NAMED
from loyalty.stores.models import Customer, PlatformId, Store
from orders.kinds import KINDS, LEDGERS
from orders.models import Order, Redemption

# What the kept one takes over where he has nothing of it.
_FILLED: Final = ("external_id", "email", "name", "phone", "locale")


class NobodyLeft(Conflict):
    """One of the two was erased: nobody can say any more who that was."""

    code = "customer-erased"
    title = gettext_noop("The customer was erased.")


class MergeStale(Conflict):
    """What was shown is not what would move any more."""

    code = "preview-stale"
    title = gettext_noop("Something has changed since this was shown.")


@dataclass(frozen=True, slots=True)
class Holding:
    """What the two can spend of one kind and currency (points: ``""``); below zero for a debt."""

    kind: Kind
    currency: str
    merged: Amount
    kept: Amount

    @property
    def together(self) -> Amount:
        """What the kept one can spend afterwards."""
        return self.merged + self.kept


@dataclass(frozen=True, slots=True)
class MovedId:
    """A platform's id of the merged one; ``earlier`` where the kept one's own stays the current one."""

    platform: str
    external_id: str
    earlier: bool


@dataclass(frozen=True, slots=True)
class MergePlan:
    """Everything that changes hands. ``entries`` counts the rows of both histories together, by kind."""

    merged: Customer
    kept: Customer
    holdings: Sequence[Holding]
    lots: Mapping[Kind, int]
    orders: int
    redemptions: int
    waiting_notices: int
    entries: Mapping[Kind, int]
    ids: Sequence[MovedId]
    filled: Mapping[str, str]

    @property
    def token(self) -> str:
        """Equal for equal facts: who they are, what changes hands, and what the kept one has afterwards.

        Messages that go out meanwhile, and entries that leave every balance as it is, are no such facts.
        """
        facts: list[Any] = [
            [[who.pk, *(getattr(who, name) for name in _FILLED)] for who in (self.merged, self.kept)],
            [[item.kind, item.currency, f"{item.merged:f}", f"{item.kept:f}"] for item in self.holdings],
            [self.lots[kind] for kind in KINDS],
            [self.orders, self.redemptions],
            [[item.platform, item.external_id, item.earlier] for item in self.ids],
        ]
        return digest_of(facts)


def plan_merge(store: Store, *, merged: Customer, kept: Customer, now: datetime) -> MergePlan:
    """What ``merge_customers`` would do to two customers of ``store``; writes nothing.

    A number of queries that does not grow with what there is. Raises NobodyLeft for somebody who was erased.
    """
    refuse_erased(store, merged, kept)
    return MergePlan(
        merged,
        kept,
        holdings=_holdings(merged, kept, now),
        lots={
            kind: LEDGERS[kind].tables.lot.objects.for_store(store).filter(customer=merged).count() for kind in KINDS
        },
        orders=Order.objects.for_store(store).filter(customer=merged).count(),
        redemptions=Redemption.objects.for_store(store).filter(customer=merged).count(),
        waiting_notices=Notice.objects.for_store(store).filter(customer=merged, status=NoticeStatus.QUEUED).count(),
        entries={kind: sum(history(LEDGERS[kind], who).count() for who in (merged, kept)) for kind in KINDS},
        ids=_ids(store, merged, kept),
        filled=filled(merged, kept),
    )


def refuse_erased(store: Store, *customers: Customer) -> None:
    """Raise NobodyLeft unless all of these customers can still be told apart from nobody; one query."""
    named = Customer.objects.for_store(store).filter(NAMED, pk__in=[customer.pk for customer in customers])
    if named.aggregate(found=Count("pk"))["found"] != len(customers):
        raise NobodyLeft(_("One of the two was erased, and nobody can say any more who that was."))


def filled(merged: Customer, kept: Customer) -> dict[str, str]:
    """What the kept one lacks of name, addresses and own id, and takes over."""
    return {name: getattr(merged, name) for name in _FILLED if getattr(merged, name) and not getattr(kept, name)}


def _holdings(merged: Customer, kept: Customer, now: datetime) -> list[Holding]:
    found = []
    for kind in KINDS:
        available = LEDGERS[kind].available([merged.pk, kept.pk], now=now)
        for currency in sorted({currency for _owner, currency in available}):
            of_merged, of_kept = (available.get((who.pk, currency), 0) for who in (merged, kept))
            found.append(Holding(kind, currency, of_merged, of_kept))
    return found


def _ids(store: Store, merged: Customer, kept: Customer) -> list[MovedId]:
    rows = PlatformId.objects.for_store(store).filter(customer__in=(merged, kept)).order_by("platform", "pk")
    current = {row.platform for row in rows if row.customer_id == kept.pk and row.replaced_at is None}
    return [
        MovedId(row.platform, row.external_id, row.replaced_at is not None or row.platform in current)
        for row in rows
        if row.customer_id == merged.pk
    ]
