"""How the back-office looks: the theme's settings."""

from typing import Any, Final

from django.templatetags.static import static


def _stylesheet(request: object) -> str:
    return static("loyalty/backoffice.css")


def _icon(request: object) -> str:
    return static("loyalty/icon.svg")


THEME: Final[dict[str, Any]] = {
    "SITE_TITLE": "Loyalty Back-Office",
    "SITE_HEADER": "Loyalty Back-Office",
    "SITE_SYMBOL": "loyalty",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _icon}],
    "SITE_URL": None,
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
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
        "navigation": "loyalty.backoffice.menu.navigation",
    },
}
