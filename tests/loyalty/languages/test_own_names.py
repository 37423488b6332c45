"""What a store calls credits and points is said wherever its staff read about them, and nowhere else."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from babel.messages.catalog import Catalog
from django.utils.translation import override

from loyalty.core.money import format_amount
from loyalty.languages.catalogues import ROOT
from loyalty.languages.own_names import (
    NAMED,
    as_read_now,
    both_names,
    in_own_names,
    name_of,
    own_name,
    own_words,
    own_words_lazy,
)
from loyalty.languages.own_sentences import SENTENCES
from loyalty.store_settings.words import LanguageWords
from orders.kinds import title_of

COINS = LanguageWords(credits="shopping money 50%", points="coins", point="coin")
LATER = own_words_lazy("Points used")


def test_h3_without_names_of_its_own_a_store_says_ours() -> None:
    with in_own_names(LanguageWords):
        assert (name_of("credits"), title_of("points")) == ("store credits", "Member points")
        assert own_words("%(amount)s credits", amount="5.00 USD") == "5.00 USD credits"
        assert format_amount(1, "", "en") == "1 point"


def test_h3_names_of_its_own_stand_in_headings_sentences_and_amounts() -> None:
    with in_own_names(lambda: COINS):
        assert (name_of("credits"), title_of("credits")) == ("shopping money 50%", "Shopping money 50%")
        assert (str(LATER), own_words("Credits not back")) == ("Coins used", "Shopping money 50% not back")
        assert own_words("%(amount)s credits", amount="5.00 USD") == "5.00 USD of shopping money 50%"
        assert [format_amount(count, "", "en") for count in (1, 1200)] == ["1 coin", "1,200 coins"]
        assert (format_amount(5, "USD", "en"), own_words("Orders")) == ("5.00 USD", "Orders")
    assert (str(LATER), own_name("points")) == ("Points used", "")


def test_h3_a_name_is_asked_for_only_where_it_is_said() -> None:
    with in_own_names(lambda: pytest.fail("Nobody wanted a name.")):
        assert own_words("Orders") == "Orders"


def test_t4_what_is_sent_in_pieces_stays_in_its_language_and_names() -> None:
    with override("de"), in_own_names(lambda: COINS):
        parts = as_read_now(own_words(name) for name in ("Orders", "Points used"))
    assert [*parts] == ["Bestellungen", "Coins verwendet"]


# What a page says of our words themselves, of a shop platform's own, and of what a file holds; the two statuses.
OF_OURS: Final = re.compile(
    r"Name of |Such as “|What you call |what you call |how much, such as “|SHOPLINE|SHOPLINE's own|Revert Status$"
    r"|This is neither “credits”|Point: 1,234|points worth |store credit \(not|credits-reverted|^(?:store )?credits$"
    r"|^(?:member )?points$|: store credit paid for it there|given out credits or points|once credits or points were"
)
# Where pages of a store have their words from; letters and REST name kinds by themselves.
OF_PAGES: Final = (
    "orders/admin/",
    "orders/templates/",
    "orders/services/balance_imports/",
    "orders/models/",
    "points/sheets",
)
OF_PAGES_TOO: Final = ("loyalty/backoffice/", "loyalty/templates/", "loyalty/timeline/", "loyalty/store_settings/")


def test_h3_no_page_says_ours_where_the_store_may_have_a_name() -> None:
    tables = {*NAMED, *SENTENCES}
    said = {
        (path.name, words)
        for app in ("loyalty", "orders", "points")
        for path in (ROOT / app).rglob("*")
        # What an app is called, no page of a store says.
        if path.suffix in (".py", ".html") and "migrations" not in path.parts and path.name != "apps.py"
        for words in _said(path)
        if words in tables
    }
    assert said == set()


def _said(path: Path) -> Iterator[str]:
    """What a source says by gettext, past the names of a store."""
    text = path.read_text()
    if path.suffix == ".html":
        yield from re.findall(r"""{% translate ["'](.*?)["']""", text)
        return
    for node in ast.walk(ast.parse(text)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("_", "gettext", "gettext_lazy")
        ):
            yield from (str(part.value) for part in node.args[:1] if isinstance(part, ast.Constant))


def test_h3_every_message_of_a_page_that_has_our_word_has_one_for_own_names(source: Catalog) -> None:
    known = {*NAMED, *SENTENCES, *SENTENCES.values()}
    ours = [
        text
        for message in source
        if any(place.startswith(OF_PAGES) for place, _line in message.locations)
        for text in ([message.id] if isinstance(message.id, str) else message.id)
        if re.search(r"\b(?:credits?|points?)\b", re.sub(r"%\(\w+\)s", "", text), re.IGNORECASE)
    ]
    assert len(ours) > 50
    assert [text for text in ours if text not in known and not OF_OURS.search(text)] == []


def test_h3_the_form_for_own_names_names_a_kind_and_invents_no_facts() -> None:
    for ours, named in SENTENCES.items():
        facts, more = ({*re.findall(r"%\((\w+)\)s|({\w+})", text)} for text in (ours, named))
        assert more - facts <= {("credits", ""), ("points", "")}, ours
        assert facts <= more, ours


def test_h3_no_sentence_of_a_page_names_both_kinds_but_by_the_store_s_names() -> None:
    said = re.compile(r"""\b_\(\s*["']([^"']*\bcredits\b[^"']*\bpoints\b[^"']*)["']""")
    pages = (ROOT / "orders" / "admin").rglob("*.py")
    found = {words for path in pages for words in said.findall(path.read_text().replace("(credits)s", ""))}
    # The name of what is done, and what a file's column is to hold.
    assert found <= {"Return credits/points", "Say which column tells whether an amount is store credits or points."}
    with in_own_names(lambda: COINS):
        assert both_names() == {"credits": "shopping money 50%", "points": "coins"}
        assert own_words("Point lots: last day of use") == "Coins: last day of use of each lot"
