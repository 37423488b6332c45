"""How the back-office looks, and its menu: the theme's settings."""

from typing import Any, Final

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.functional import lazy
from django.utils.text import format_lazy

from loyalty.web.addresses import common_page

_MENU: Final = "loyalty.backoffice.menu"


def _stylesheet(request: object) -> str:
    return static("loyalty/backoffice.css")


def _icon(request: object) -> str:
    return static("loyalty/icon.svg")


def _item(title: str, icon: str, address: str, permission: str, **more: Any) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse_lazy(address), "permission": f"{_MENU}.{permission}"} | more


def _common(title: str, icon: str, address: str, permission: str) -> dict[str, Any]:
    return _item(title, icon, address, permission, link=lazy(common_page, str)(address))


_STORE_MENU: Final[list[dict[str, Any]]] = [
    {"items": [_item("Dashboard", "dashboard", "admin:index", "may_view")]},
    {
        "title": "Orders",
        "items": [
            _item(
                "All orders",
                "shopping_bag",
                "admin:orders_order_changelist",
                "may_view",
                active="orders.admin.desk.menu.all_orders_is_active",
            ),
            _item(
                "Needs revert",
                "assignment_return",
                "admin:orders_order_queue",
                "may_view",
                badge="orders.admin.desk.menu.needs_revert_badge",
                active="orders.admin.desk.menu.needs_revert_is_active",
            ),
            _item(
                "Paid after cancellation",
                "event_repeat",
                "admin:orders_order_changelist",
                "may_view",
                link=format_lazy("{}?paid_after_cancellation=yes", reverse_lazy("admin:orders_order_changelist")),
                badge="orders.admin.desk.menu.paid_late_badge",
                active="orders.admin.desk.menu.paid_late_is_active",
            ),
            _item("Reverts", "undo", "admin:orders_revert_changelist", "may_view"),
            _item("Cancelled next", "event_busy", "admin:orders_order_upcoming", "may_view"),
        ],
    },
    {
        "title": "Customers",
        "items": [
            _item(
                "Customers",
                "group",
                "admin:stores_customer_changelist",
                "may_view",
                active="orders.admin.desk.menu.customers_is_active",
            ),
            _item("Expiring soon", "hourglass_bottom", "admin:stores_customer_expiring", "may_view"),
        ],
    },
    {
        "title": "Loyalty",
        "items": [
            _item("Rewards", "redeem", "admin:orders_reward_changelist", "may_view"),
            _item(
                "Redemptions",
                "confirmation_number",
                "admin:orders_redemption_changelist",
                "may_view",
                badge="orders.admin.desk.menu.requests_badge",
            ),
        ],
    },
    {
        "title": "Settings",
        "items": [
            _item(
                "Order settings",
                "tune",
                "admin:stores_settingsversion_orders",
                "may_view",
                active="orders.admin.desk.menu.order_settings_is_active",
            ),
            _item(
                "Spent revert",
                "currency_exchange",
                "admin:stores_settingsversion_spent_revert",
                "may_view",
                active="orders.admin.desk.menu.spent_revert_is_active",
            ),
            _item("Expiry and extension", "event", "admin:stores_settingsversion_expiry", "may_view"),
            _item("Notices", "mail", "admin:stores_settingsversion_notices", "may_view"),
            _item("Limits", "speed", "admin:stores_settingsversion_limits", "may_view"),
            _item("Earned points", "loyalty", "admin:stores_settingsversion_earned", "may_view"),
            _item(
                "Platform connection",
                "hub",
                "admin:platforms_platformconnection_changelist",
                "may_change_settings",
            ),
        ],
    },
    {
        "title": "Developers",
        "items": [
            _item("API keys", "key", "admin:stores_apikey_changelist", "may_manage_api_keys"),
            _item(
                "Webhook endpoints",
                "webhook",
                "admin:webhooks_webhookendpoint_changelist",
                "may_manage_webhooks",
                badge="loyalty.backoffice.pages.webhooks.menu.endpoints_badge",
            ),
            _item("Webhooks sent", "outbox", "admin:webhooks_webhookdelivery_changelist", "may_manage_webhooks"),
            _item("Webhook deliveries", "webhook", "admin:platforms_inbounddelivery_changelist", "may_view"),
            _item("API docs", "menu_book", "admin:index", "may_manage_api_keys", link="/api/v1/docs/"),
        ],
    },
    {
        "title": "Audit",
        "items": [
            _item(
                "Privacy requests",
                "shield_person",
                "admin:platforms_privacyrequest_changelist",
                "may_change_settings",
                badge="orders.admin.desk.menu.privacy_badge",
            ),
            _item("Timeline", "history", "admin:journal_journalentry_changelist", "may_view"),
            _item("Outgoing messages", "outgoing_mail", "admin:outbox_message_changelist", "may_view"),
            _item("Jobs", "schedule", "admin:orders_problem_changelist", "may_view"),
            _item("Bulk cancels", "playlist_remove", "admin:orders_bulkcancel_changelist", "may_view"),
        ],
    },
    {
        "title": "Store",
        "items": [_item("Staff", "badge", "admin:stores_membership_changelist", "may_manage_staff")],
    },
]
_PLATFORM_MENU: Final[list[dict[str, Any]]] = [
    {
        "title": "Platform",
        "items": [
            _common("Stores", "store", "admin:stores_store_changelist", "may_run_platform"),
            _common("Ledger check", "fact_check", "admin:journal_ledgercheck_changelist", "may_run_platform"),
        ],
    },
]


def _menu(request: HttpRequest) -> list[dict[str, Any]]:
    """A store's entries have addresses on its own pages alone (T5)."""
    return _STORE_MENU + _PLATFORM_MENU if getattr(request, "store", None) else _PLATFORM_MENU


UNFOLD: Final[dict[str, Any]] = {
    "SITE_TITLE": "Loyalty Back-Office",
    "SITE_HEADER": "Loyalty Back-Office",
    "SITE_SYMBOL": "loyalty",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _icon}],
    "SITE_URL": None,
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "orders.admin.desk.dashboard.dashboard",
    "STYLES": [_stylesheet],
    "COMMAND": {"search_models": False, "show_history": False},
    "COLORS": {
        "primary": {
            "50": "oklch(97% .014 254.6)",
            "100": "oklch(93.2% .032 255.6)",
            "200": "oklch(88.2% .059 254.1)",
            "300": "oklch(80.9% .105 251.8)",
            "400": "oklch(70.7% .165 254.6)",
            "500": "oklch(62.3% .214 259.8)",
            "600": "oklch(50.5% .215 262.5)",
            "700": "oklch(45.5% .205 263.5)",
            "800": "oklch(42.4% .199 265.6)",
            "900": "oklch(37.9% .146 265.5)",
            "950": "oklch(28.2% .091 267.9)",
        },
        "font": {
            "subtle-light": "var(--color-base-600)",
            "subtle-dark": "var(--color-base-300)",
            "default-light": "var(--color-base-700)",
            "default-dark": "var(--color-base-200)",
            "important-light": "var(--color-base-900)",
            "important-dark": "var(--color-base-50)",
        },
    },
    "SIDEBAR": {
        "show_search": False,
        "command_search": False,
        "show_all_applications": False,
        "navigation": _menu,
    },
}
