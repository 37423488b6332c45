"""The tiles of the dashboard. Counts are bounded, and every query runs on an index that leads with the store."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from django.db.models import Count, Exists, F, Min, OuterRef, Q, Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.backoffice.badges import count_to, count_words
from loyalty.backoffice.pages.platforms.deliveries import FAILING
from loyalty.core.days import end_of_day, local_day
from loyalty.core.locales import count_text
from loyalty.ledger.ledger import Kind
from loyalty.ledger.planner import Amount
from loyalty.platforms.models import FAILING_STATES, InboundDelivery, PlatformConnection
from loyalty.proof.outcomes import last_check
from loyalty.stores.dates import show_moment
from loyalty.stores.models import Store
from loyalty.web.addresses import page_of
from orders.admin.customers.expiring_page import amounts_words, lost_sums
from orders.admin.display import RETURNED
from orders.admin.orders.filters import AUTOMATIC
from orders.kinds import KINDS, show
from orders.models import FAILED_AFTER_PAYMENT, UNDECIDED, WAITING_SINCE, Order, Revert, RevertUndo
from orders.services.codes.uses import flagged_uses

# Figures beyond this are shown as "more than"; the database looks at no more rows than that.
COUNTED_TO: Final = 10_000
_RETURNED_DAYS: Final = 7
# A check that is older than this is no reassurance any more.
_CHECK_IS_OLD: Final = timedelta(days=2)

Tone = Literal["", "good", "bad"]


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure: what it is, how much, what it means, and the list behind it."""

    title: str
    figure: str
    words: str
    link: str
    tone: Tone = ""


def needs_revert_tile(store: Store, now: datetime) -> list[Tile]:
    """Orders that fell through and on which nobody has decided: how many, what they used, since when (B2)."""
    orders = Order.objects.for_store(store)
    oldest = orders.filter(needs_revert=True).order_by("cancelled_at").values("pk")[: COUNTED_TO + 1]
    since = Min(WAITING_SINCE)
    rows = orders.filter(pk__in=oldest).order_by("currency").values("currency")
    found = list(rows.annotate(count=Count("pk"), since=since, credits=_open("credits"), points=_open("points")))
    count = sum(row["count"] for row in found)
    words = _("Nothing waits for a decision")
    if found:
        days = (local_day(now, store.tz) - local_day(min(row["since"] for row in found), store.tz)).days
        words = _("%(value)s not returned. Oldest: %(age)s")
        if count > COUNTED_TO:
            words = _("At least %(value)s not returned. Oldest: %(age)s")
        words %= {"value": _value(found, store), "age": _days_ago(days)}
    return [
        Tile(
            _("Needs revert"), bounded(count), words, page_of(store, "admin:orders_order_queue"), "bad" if count else ""
        )
    ]


def automatic_tile(store: Store, now: datetime) -> list[Tile]:
    """Orders that were cancelled automatically today."""
    today = local_day(now, store.tz)
    midnight = end_of_day(today - timedelta(days=1), store.tz)
    rows = Order.objects.for_store(store).filter(cancelled_at__gte=midnight, cancelled_by__in=AUTOMATIC)
    link = f"{_orders(store)}?cancelled_by=automatic&cancelled_from={today}"
    words = _("Their payment expired or failed")
    return [Tile(_("Cancelled automatically today"), bounded(count_to(COUNTED_TO, rows)), words, link)]


def paid_late_tile(store: Store, now: datetime) -> list[Tile]:
    """Orders that were paid after an automatic cancel and wait for staff (E6)."""
    count = count_to(COUNTED_TO, Order.objects.for_store(store).filter(paid_after_cancellation=True))
    link = f"{_orders(store)}?paid_after_cancellation=yes"
    words = _("Reinstate the order or refund the payment")
    return [Tile(_("Paid after cancellation"), bounded(count), words, link, "bad" if count else "")]


def failed_after_payment_tile(store: Store, now: datetime) -> list[Tile]:
    """Orders whose payment says failed although they were paid or completed before (E10); nothing while none do."""
    count = count_to(COUNTED_TO, Order.objects.for_store(store).filter(FAILED_AFTER_PAYMENT))
    link = f"{_orders(store)}?failed_after_payment=yes"
    return [Tile(_("Paid before, now failed"), bounded(count), _("Look at each order"), link, "bad")] if count else []


def returned_tiles(store: Store, now: datetime) -> list[Tile]:
    """What came back in the last seven days, of each kind, and was not undone; one query."""
    first = local_day(now, store.tz) - timedelta(days=_RETURNED_DAYS - 1)
    since = end_of_day(first - timedelta(days=1), store.tz)
    undone = RevertUndo.objects.for_store(store).filter(revert=OuterRef("pk"))
    rows = Revert.objects.for_store(store).filter(~Exists(undone), created_at__gte=since).order_by()
    found = list(rows.values("kind", "currency", "completeness").annotate(count=Count("pk"), total=Sum("amount")))
    return [_returned(kind, [row for row in found if row["kind"] == kind], store, str(first)) for kind in KINDS]


def lost_tile(store: Store, now: datetime) -> list[Tile]:
    """What lapsed unused in the last 30 days, of both kinds."""
    figures = {kind: lost_sums(kind, store, now) for kind in KINDS}
    found = [amounts_words(sums, kind, store) for kind, sums in figures.items() if sums]
    link = f"{page_of(store, 'admin:stores_customer_expiring')}?view=lost"
    figure = " + ".join(found) or amounts_words({}, "credits", store)
    return [Tile(_("Lost to expiry"), figure, _("In the last 30 days, without being used"), link)]


def deliveries_tile(store: Store, now: datetime) -> list[Tile]:
    """What platforms sent and could not be worked through; nothing for a store without a platform."""
    if not PlatformConnection.objects.for_store(store).exists():
        return []
    count = count_to(COUNTED_TO, InboundDelivery.objects.for_store(store).filter(state__in=FAILING_STATES))
    link = f"{page_of(store, 'admin:platforms_inbounddelivery_changelist')}?state={FAILING}"
    words = _("They are tried again by themselves") if count else _("Everything that came was worked through")
    return [Tile(_("Platform deliveries failing"), bounded(count), words, link, "bad" if count else "")]


def late_codes_tile(store: Store, now: datetime) -> list[Tile]:
    """Orders that came with a code and used none of its points (R3, R7); nothing while there are none."""
    count = count_to(COUNTED_TO, flagged_uses(store))
    link = f"{page_of(store, 'admin:orders_redemption_changelist')}?attention=used_late"
    return [Tile(_("Codes used twice or late"), bounded(count), _("Look at each order"), link, "bad")] if count else []


def ledger_tile(store: Store, now: datetime) -> list[Tile]:
    """Whether the books agreed when they were last checked, and when that was (H5)."""
    check = last_check(store)
    link = page_of(store, "admin:journal_ledgercheck_changelist")
    if check is None:
        return [Tile(_("Ledger check"), _("Not yet"), _("The books are checked once a day"), link)]
    checked = {"moment": show_moment(check.checked_at, store)}
    title, words = _("Ledger check"), _("Checked %(moment)s") % checked
    if check.faults:
        figure = ngettext("%(count)s fault", "%(count)s faults", check.faults) % {"count": check.faults}
        words = _("Checked %(moment)s. Tell whoever runs the platform") % checked
        return [Tile(title, figure, words, link, "bad")]
    if check.checked_at < now - _CHECK_IS_OLD:
        words = _("Checked %(moment)s. Does the worker run?") % checked
        return [Tile(title, _("Overdue"), words, link, "bad")]
    return [Tile(title, _("Agrees"), words, link, "good")]


def bounded(count: int) -> str:
    """A count that was not taken further than ``COUNTED_TO``."""
    return count_words(count, COUNTED_TO)


def _open(kind: Kind) -> Sum:
    left = F(f"{kind}_applied") - F(f"{kind}_reverted")
    return Sum(left, filter=Q(**{f"{kind}_decision__in": UNDECIDED}), default=0)


def _value(found: list[Any], store: Store) -> str:
    credit: dict[str, Amount] = {row["currency"]: row["credits"] for row in found if row["credits"]}
    points = sum(row["points"] for row in found)
    words = [amounts_words(credit, "credits", store)] if credit else []
    words += [show(points, "", store)] if points else []
    return " + ".join(words)


def _returned(kind: Kind, rows: list[Any], store: Store, first: str) -> Tile:
    totals: dict[str, Amount] = {}
    counts: Counter[str] = Counter()
    for row in rows:
        # The column holds either kind; points are whole numbers.
        amount = row["total"] if kind == "credits" else int(row["total"])
        totals[row["currency"]] = totals.get(row["currency"], 0) + amount
        counts[row["completeness"]] += row["count"]
    words = _("In the last %(days)s days: %(full)s in full, %(partial)s in part") % {
        "days": _RETURNED_DAYS,
        "full": count_text(counts["full"]),
        "partial": count_text(counts["partial"]),
    }
    link = f"{page_of(store, 'admin:orders_revert_changelist')}?kind={kind}&created_from={first}&undone=no"
    return Tile(str(RETURNED[kind]), amounts_words(totals, kind, store), words, link)


def _orders(store: Store) -> str:
    return page_of(store, "admin:orders_order_changelist")


def _days_ago(days: int) -> str:
    if days <= 0:
        return _("today")
    if days == 1:
        return _("yesterday")
    return ngettext("%(days)s day ago", "%(days)s days ago", days) % {"days": days}
