"""What a store calls credits and points is said wherever its staff read about them, and nowhere else."""

import re

import pytest
from django.utils.translation import override

from loyalty.core.money import format_amount
from loyalty.languages.catalogues import ROOT
from loyalty.languages.own_names import NAMED, as_read_now, in_own_names, own_name, own_words, own_words_lazy
from loyalty.store_settings.words import LanguageWords
from orders.kinds import both_names, name_of, title_of

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


@pytest.mark.parametrize("app", ["loyalty", "orders"])
def test_h3_no_page_says_ours_where_the_store_may_have_a_name(app: str) -> None:
    said = re.compile(rf"""(?:\b_|gettext|gettext_lazy|translate)[( ]["']({"|".join(map(re.escape, NAMED))})["']""")
    pages = [
        path for path in (ROOT / app).rglob("*") if path.suffix in (".py", ".html") and "migrations" not in path.parts
    ]
    found = {(path.name, words) for path in pages for words in said.findall(path.read_text())}
    # What rewards give is a choice of a model, and letters have words of their own.
    assert found <= {("redemption.py", "Store credits")}


def test_h3_no_sentence_of_a_page_names_both_kinds_but_by_the_store_s_names() -> None:
    said = re.compile(r"""\b_\(\s*["']([^"']*\bcredits\b[^"']*\bpoints\b[^"']*)["']""")
    pages = (ROOT / "orders" / "admin").rglob("*.py")
    found = {words for path in pages for words in said.findall(path.read_text().replace("(credits)s", ""))}
    # The name of what is done, and what a file's column is to hold.
    assert found <= {"Return credits/points", "Say which column tells whether an amount is store credits or points."}
    with in_own_names(lambda: COINS):
        assert both_names() == {"credits": "shopping money 50%", "points": "coins"}
        assert own_words("Point lots: last day of use") == "Coins: last day of use of each lot"
