"""The menu: the entries that the apps hand in, put together in one order; what a role may not do is absent.

An app says in its configuration where its entries are: ``menu`` is their dotted name.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Final

from django.apps import apps
from django.http import HttpRequest
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.languages.own_names import own_words
from loyalty.stores.active_store import is_operator, may, store_or_none
from loyalty.stores.roles import Can
from loyalty.web.addresses import common_page, page_here


class Section(StrEnum):
    """The parts of a store's menu, from top to bottom."""

    HOME = ""
    ORDERS = gettext_noop("Orders")
    CUSTOMERS = gettext_noop("Customers")
    LOYALTY = gettext_noop("Loyalty")
    SETTINGS = gettext_noop("Settings")
    DEVELOPERS = gettext_noop("Developers")
    AUDIT = gettext_noop("Audit")
    STORE = gettext_noop("Store")


# What the theme's templates ask of each entry and section besides. A template looks long for what is not there: a
# hundred times in a menu, which is 1.3 ms of a dashboard's 17.
_OF_ENTRIES: Final = {"badge": None, "link_callback": None}
_OF_SECTIONS: Final = {"collapsible": False, "separator": False}


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, at its ``place`` among those that all apps have in the section.

    ``page`` is the name of its address and ``query`` what is behind it; ``link`` an address without a name.
    ``badge`` tells what waits there, "" for nothing; ``active`` whether a request is for it, where its address alone
    does not say.
    """

    section: Section
    place: int
    title: str
    icon: str
    page: str = ""
    query: str = ""
    link: str = ""
    seen_by: Can = Can.VIEW
    badge: Callable[[HttpRequest], str] | None = None
    active: Callable[[HttpRequest], bool] | None = None

    def shown(self) -> dict[str, Any]:
        """The entry as the theme takes it: what is asked of each request goes by name, or as a function."""
        item: dict[str, Any] = {"title": own_words(self.title), "icon": self.icon, "link": self.link} | _OF_ENTRIES
        if self.page:
            item["link"] = page_here(self.page) + self.query
        if self.badge:
            item["badge"] = f"{self.badge.__module__}.{self.badge.__name__}"
        if self.active:
            item["active"] = self.active
        return item


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The menu of a page. A store's entries have addresses on its own pages alone (T5)."""
    return [*(_of_store(request) if store_or_none(request) else ()), _of_platform(request)]


def _of_store(request: HttpRequest) -> list[dict[str, Any]]:
    mine = [entry for entry in _handed_in() if may(request, entry.seen_by)]
    by_section = {section: [entry.shown() for entry in mine if entry.section is section] for section in Section}
    return [_section(_(section.value), items) for section, items in by_section.items() if items]


@cache
def _handed_in() -> list[Entry]:
    menus = [getattr(app, "menu", None) for app in apps.get_app_configs()]
    return sorted((entry for menu in menus if menu for entry in import_string(menu)), key=lambda entry: entry.place)


def _of_platform(request: HttpRequest) -> dict[str, Any]:
    """Empty for who does not run the platform. There is always this section: without any, the theme makes up a menu."""
    items = [
        {
            "title": _("Is everything well?"),
            "icon": "monitor_heart",
            "link": common_page("admin:journal_jobrun_changelist"),
        },
        {"title": _("Stores"), "icon": "store", "link": common_page("admin:stores_store_changelist")},
        {"title": _("Ledger check"), "icon": "fact_check", "link": common_page("admin:journal_ledgercheck_changelist")},
    ]
    return _section(_("Platform"), [item | _OF_ENTRIES for item in items] if is_operator(request) else [])


def _section(title: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"title": title, "items": items} | _OF_SECTIONS
