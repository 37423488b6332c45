"""What the menu has of orders, customers and redemptions."""

from typing import Final, NamedTuple

from django.http import HttpRequest
from django.utils.translation import gettext_noop

from loyalty.backoffice.menu import Entry, Section
from loyalty.database.prepared import ask
from loyalty.stores.active_store import may, store_or_none
from loyalty.stores.roles import Can
from loyalty.web.addresses import page_here
from orders.admin.reverts.walk import is_walking

_COUNTED_TO: Final = 99
_KEPT: Final = "orders.waiting"
# One statement for all badges: each counts what is in its own index, and no further than a badge can say.
_WAITING: Final = """
SELECT
    (SELECT count(*) FROM (SELECT FROM orders_order WHERE store_id = %s::bigint AND needs_revert LIMIT 100) AS found),
    (SELECT count(*) FROM (
        SELECT FROM orders_order WHERE store_id = %s::bigint AND paid_after_cancellation LIMIT 100) AS found),
    (SELECT count(*) FROM (
        SELECT FROM orders_reversalrequest WHERE store_id = %s::bigint AND state = 'open' LIMIT 100) AS found),
    (SELECT count(*) FROM (
        SELECT FROM platforms_privacyrequest
        WHERE store_id = %s::bigint AND done_at IS NULL AND confirmed_at IS NULL LIMIT 100) AS found)
"""


class _Waiting(NamedTuple):
    """How much of each kind waits for somebody, counted to one more than a badge says."""

    needs_revert: int = 0
    paid_late: int = 0
    requests: int = 0
    privacy: int = 0


def needs_revert_badge(request: HttpRequest) -> str:
    """How many orders need a decision (B2), counted to 99; empty for none."""
    return _badge(_waiting(request).needs_revert)


def paid_late_badge(request: HttpRequest) -> str:
    """How many orders were paid after an automatic cancel and wait (E6), counted to 99; empty for none."""
    return _badge(_waiting(request).paid_late)


def requests_badge(request: HttpRequest) -> str:
    """How many requests for a reversal wait (R5), counted to 99; empty for none."""
    return _badge(_waiting(request).requests)


def privacy_badge(request: HttpRequest) -> str:
    """How many privacy requests nobody has decided yet, counted to 99; empty for none, and for who may not decide."""
    return _badge(_waiting(request).privacy) if may(request, Can.CHANGE_SETTINGS) else ""


def _waiting(request: HttpRequest) -> _Waiting:
    """What waits in the store of the request; one query, however many badges ask."""
    store = store_or_none(request)
    if store is None:
        return _Waiting()
    if _KEPT not in request.META:
        (counts,) = ask(_WAITING, [store.pk] * 4).rows()
        request.META[_KEPT] = _Waiting(*counts)
    waiting: _Waiting = request.META[_KEPT]
    return waiting


def _badge(count: int) -> str:
    return f"{_COUNTED_TO}+" if count > _COUNTED_TO else str(count or "")


def needs_revert_is_active(request: HttpRequest) -> bool:
    """Whether the page is the queue, an order on the walk through it, or its list with filters."""
    queue = request.path == page_here("admin:orders_order_queue") or is_walking(request)
    return queue or _is_list(request, "needs_revert")


def paid_late_is_active(request: HttpRequest) -> bool:
    """Whether the page is the list of late payments."""
    return _is_list(request, "paid_after_cancellation")


def all_orders_is_active(request: HttpRequest) -> bool:
    """Whether the page is about orders, but none of the lists that have an entry of their own."""
    own = needs_revert_is_active(request) or paid_late_is_active(request)
    own = own or request.path == page_here("admin:orders_order_upcoming")
    own = own or order_settings_is_active(request) or spent_revert_is_active(request)
    return request.path.startswith(page_here("admin:orders_order_changelist")) and not own


def customers_is_active(request: HttpRequest) -> bool:
    """Whether the page is about customers, but none that has an entry of its own."""
    own = request.path == page_here("admin:stores_customer_expiring")
    return request.path.startswith(page_here("admin:stores_customer_changelist")) and not own


def order_settings_is_active(request: HttpRequest) -> bool:
    """Whether the page is the order settings, or tries them on the past."""
    return request.path in (page_here("admin:stores_settingsversion_orders"), page_here("admin:orders_order_backtest"))


def spent_revert_is_active(request: HttpRequest) -> bool:
    """Whether the page is the spent-revert rules, or tries them on the past."""
    pages = ("admin:stores_settingsversion_spent_revert", "admin:orders_order_rules_backtest")
    return request.path in map(page_here, pages)


def letters_is_active(request: HttpRequest) -> bool:
    """Whether the page is about letters: whom they are from, or what they say in one of the languages."""
    address = page_here("admin:stores_settingsversion_letters")
    return request.path.startswith((address, address.replace("/letters/", "/words-")))


def jobs_is_active(request: HttpRequest) -> bool:
    """Whether the page is that of the jobs, not the one of what waits."""
    return request.path == page_here("admin:orders_problem_changelist")


def _is_list(request: HttpRequest, name: str) -> bool:
    return request.path == page_here("admin:orders_order_changelist") and request.GET.get(name) == "yes"


ENTRIES: Final = (
    Entry(Section.HOME, 10, gettext_noop("Dashboard"), "dashboard", "admin:index"),
    Entry(
        Section.ORDERS,
        10,
        gettext_noop("All orders"),
        "shopping_bag",
        "admin:orders_order_changelist",
        active=all_orders_is_active,
    ),
    Entry(
        Section.ORDERS,
        20,
        gettext_noop("Needs revert"),
        "assignment_return",
        "admin:orders_order_queue",
        badge=needs_revert_badge,
        active=needs_revert_is_active,
    ),
    Entry(
        Section.ORDERS,
        30,
        gettext_noop("Paid after cancellation"),
        "event_repeat",
        "admin:orders_order_changelist",
        "?paid_after_cancellation=yes",
        badge=paid_late_badge,
        active=paid_late_is_active,
    ),
    Entry(Section.ORDERS, 40, gettext_noop("Reverts"), "undo", "admin:orders_revert_changelist"),
    Entry(Section.ORDERS, 50, gettext_noop("Cancelled next"), "event_busy", "admin:orders_order_upcoming"),
    Entry(
        Section.CUSTOMERS,
        10,
        gettext_noop("Customers"),
        "group",
        "admin:stores_customer_changelist",
        active=customers_is_active,
    ),
    Entry(Section.CUSTOMERS, 20, gettext_noop("Expiring soon"), "hourglass_bottom", "admin:stores_customer_expiring"),
    Entry(
        Section.CUSTOMERS,
        40,
        gettext_noop("Move in"),
        "move_to_inbox",
        "admin:orders_balanceimport_changelist",
        seen_by=Can.IMPORT_BALANCES,
    ),
    Entry(Section.LOYALTY, 10, gettext_noop("Rewards"), "redeem", "admin:orders_reward_changelist"),
    Entry(
        Section.LOYALTY,
        20,
        gettext_noop("Redemptions"),
        "confirmation_number",
        "admin:orders_redemption_changelist",
        badge=requests_badge,
    ),
    Entry(
        Section.SETTINGS,
        10,
        gettext_noop("Order settings"),
        "tune",
        "admin:stores_settingsversion_orders",
        active=order_settings_is_active,
    ),
    Entry(
        Section.SETTINGS,
        20,
        gettext_noop("Spent revert"),
        "currency_exchange",
        "admin:stores_settingsversion_spent_revert",
        active=spent_revert_is_active,
    ),
    Entry(Section.SETTINGS, 30, gettext_noop("Expiry and extension"), "event", "admin:stores_settingsversion_expiry"),
    Entry(Section.SETTINGS, 40, gettext_noop("Notices"), "mail", "admin:stores_settingsversion_notices"),
    Entry(
        Section.SETTINGS,
        45,
        gettext_noop("Letters"),
        "stylus_note",
        "admin:stores_settingsversion_letters",
        active=letters_is_active,
    ),
    Entry(Section.SETTINGS, 50, gettext_noop("Limits"), "speed", "admin:stores_settingsversion_limits"),
    Entry(Section.SETTINGS, 60, gettext_noop("Earned points"), "loyalty", "admin:stores_settingsversion_earned"),
    Entry(
        Section.AUDIT,
        10,
        gettext_noop("Privacy requests"),
        "shield_person",
        "admin:platforms_privacyrequest_changelist",
        seen_by=Can.CHANGE_SETTINGS,
        badge=privacy_badge,
    ),
    Entry(Section.AUDIT, 35, gettext_noop("To be tried again"), "replay", "admin:orders_problem_waiting"),
    Entry(
        Section.AUDIT, 40, gettext_noop("Jobs"), "schedule", "admin:orders_problem_changelist", active=jobs_is_active
    ),
    Entry(Section.AUDIT, 50, gettext_noop("Bulk cancels"), "playlist_remove", "admin:orders_bulkcancel_changelist"),
    Entry(
        Section.STORE,
        20,
        gettext_noop("Take everything with you"),
        "package_2",
        "admin:orders_storebundle_changelist",
        seen_by=Can.TAKE_STORE,
    ),
)
