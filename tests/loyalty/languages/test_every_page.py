"""Every page in a language that nobody speaks: what is read there went through translation."""

import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
from babel.dates import get_month_names
from django.test import Client
from django.utils.translation.trans_real import DjangoTranslation

from loyalty.languages.catalogues import source_messages
from loyalty.languages.spoken import LANGUAGES, TRANSLATIONS
from loyalty.web.addresses import common_page
from orders.admin.customers.tabs import TABS as CUSTOMER_TABS
from orders.admin.orders.tabs import TABS as ORDER_TABS
from tests import factories
from tests.balance_imports import HEADER
from tests.loyalty.backoffice.test_every_address import COMMON_PAGES, GET_PAGES, Shop
from tests.loyalty.languages.pseudo import LANGUAGE, Pseudo, pseudo, spoken, untranslated

pytestmark = pytest.mark.django_db
# What stores and programs call things: names, addresses, codes, months (which are Babel's), and what is typed.
_MONTHS: Final = {
    name for width in ("wide", "abbreviated") for name in get_month_names(width, locale=LANGUAGE).values()
}
DATA: Final = re.compile(
    "|".join(
        (
            r"UTF-\d+|Big5|Shift_JIS|Windows-1252|SHA-256 [0-9a-f]+|[Oo]ld\.csv|No totals there",
            r"[\w.+-]+@[\w.]+|[Hh]ttps?://\S+|\b[a-z_]+(?:[.:/-][a-z_]+)+\b|[\w@.]+(?:,[\w@.]*){3,}",
            r"[Ss]tore-\d+|Customer \d+|[Kk]ey\d+|[Mm]sg_\d+|Five off|Gift|(?:[A-Z0-9]{4}-){3}[A-Z0-9]{4}",
            r"\b[A-Z]{3}\b|Asia/Taipei|\ben\b|\besc\b",
            "Loyalty Back-Office|CSV|Excel|Shopify|WooCommerce|SHOPLINE Global|SHOPLINE",
            *(name for _, name in LANGUAGES),
            *sorted(_MONTHS, key=len, reverse=True),
        )
    )
)
# What stands in the file that the store brings: its columns' names, and the cells below them.
IN_FILE: Final = {*HEADER.strip().split(","), "Old", "points"}
# Signed in with a password; the others are for whoever is not.
OF_ACCOUNTS: Final = (
    "account_change_password",
    "account_language",
    "mfa_index",
    "usersessions_list",
    "socialaccount_connections",
)
BEFORE_SIGNING_IN: Final = ("account_login", "account_reset_password", "account_reset_password_done")
# What the admin says of its own lists, in words that no shop uses: what it is called is said instead.
THEIRS: Final = re.compile(
    "|".join(
        "[^<]*?".join(map(re.escape, re.split(r"%\(?\w*\)?s", pseudo(text).split(" ñ")[0])))
        for text in ("Select %s to change", "Select %s to view")
    )
)
# Where nobody types words.
OTHER_FIELDS: Final = re.compile(
    r'type="(?:hidden|checkbox|radio|file|submit|date|datetime-local|number|email|url|tel|password|color)"|readonly|\bhidden'
)


def _pages(shop: Shop) -> Iterator[tuple[str, str]]:
    yield from ((name, shop.address(name)) for name in GET_PAGES)
    for name in COMMON_PAGES:
        yield name, common_page(f"admin:{name}", *([shop.store.pk] if name == "stores_store_change" else []))
    customer, order = shop.address("stores_customer_change"), shop.address("orders_order_change")
    yield from ((f"customer, {tab}", f"{customer}?tab={tab}") for tab in CUSTOMER_TABS)
    yield from ((f"order, {tab}", f"{order}?tab={tab}") for tab in ORDER_TABS)
    yield from ((name, common_page(name)) for name in OF_ACCOUNTS)


def _client(**user: Any) -> Client:
    client = Client(headers={"accept-language": LANGUAGE})
    if user:
        client.force_login(factories.make_user(**user), backend="django.contrib.auth.backends.ModelBackend")
    return client


def _read(client: Client, address: str) -> str:
    answer = client.get(address, follow=True)
    return answer.text if "html" in answer.headers["Content-Type"] else ""


def _said_in_english(page: str) -> list[str]:
    told = [text for text in untranslated(page) if text not in IN_FILE]
    return [text for text in told if re.search(r"[^\W\d_]{2}", DATA.sub("", text))]


def _typed_in_one_direction(page: str) -> list[str]:
    fields = re.findall(r"<(?:input|textarea)\b[^>]*>", page)
    return [field for field in fields if not OTHER_FIELDS.search(field) and 'dir="auto"' not in field]


def test_every_page_is_translated_and_each_language_has_what_it_says() -> None:
    shop = Shop()
    with spoken() as language:
        operator, stranger = _client(is_superuser=True), _client()
        pages = {name: _read(operator, address) for name, address in _pages(shop)}
        pages |= {name: _read(stranger, common_page(name)) for name in BEFORE_SIGNING_IN}
    assert {name: texts for name, page in pages.items() if (texts := _said_in_english(page))} == {}
    assert {name: found for name, page in pages.items() if (found := THEIRS.findall(page))} == {}
    assert {name: fields for name, page in pages.items() if (fields := _typed_in_one_direction(page))} == {}
    # What packages say is theirs to translate, and ours where they did not (loyalty.languages.borrowed).
    ours = {message.id if isinstance(message.id, str) else message.id[0] for message in source_messages()}
    theirs = {text for text in language.asked if text and text not in ours and "\x04" not in text and "⟦" not in text}
    theirs -= {name for _, name in LANGUAGES}
    assert (len(language.asked) > 500, len(theirs) > 10) == (True, True)
    for spoken_by_us in TRANSLATIONS:
        known = DjangoTranslation(spoken_by_us)._catalog  # type: ignore[attr-defined]
        assert {text for text in theirs if not (text in known or (text, 0) in known)} == set(), spoken_by_us


def test_the_pseudo_language_keeps_placeholders_and_tells_what_it_did_not_say() -> None:
    assert pseudo("Hello %(name)s, <b>look</b>").startswith("⟦Héllö %(name)s, <b>löök</b> ñöçh")
    assert len(pseudo("x" * 100)) == 162
    assert pseudo("%(count)s") == "%(count)s"
    assert Pseudo().ngettext("one", "many", 2).startswith("⟦màñý")
    assert untranslated("<p title='Left'>⟦Sàîd⟧ and not</p><code>no</code><p>⟦à <b>whole</b> öñé⟧ 12</p>") == [
        "Left",
        "and not",
    ]
