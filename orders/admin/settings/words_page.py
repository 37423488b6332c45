"""The pages *Words*, one for each language: what the store calls credits and points there (H3, H4)."""

from typing import Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from loyalty.backoffice.settings.cards import CardForm, CardKind, Change, Path
from loyalty.backoffice.settings.pages import PageLink, SettingsPage
from loyalty.store_settings.words import FIELDS, LONGEST_NAME

_TITLES: Final = {
    "en": gettext_noop("Words in English"),
    "zh-hant": gettext_noop("Words in Traditional Chinese"),
    "de": gettext_noop("Words in German"),
    "ja": gettext_noop("Words in Japanese"),
}
# Languages that do not say one Coin otherwise than many.
_WITHOUT_PLURAL: Final = frozenset({"zh-hant", "ja"})


class WordsForm(CardForm):
    """What a store says in one language; what is left empty is said as we say it."""

    def words(self, name: str, value: str) -> tuple[str, str]:
        """What is said; nothing of the store's own is *ours*."""
        return value or _("ours"), ""

    def said(self) -> list[Change]:
        """What the store says otherwise than we do."""
        return [change for change in super().said() if self.initial[_field_named(self, change[0])]]


class NamesForm(WordsForm):
    """What the store calls credits and points."""

    credits = forms.CharField(
        label=gettext_lazy("Name of store credits"),
        required=False,
        max_length=LONGEST_NAME,
        help_text=gettext_lazy("Such as “Shopping money”. Leave empty to say “store credits”."),
    )
    points = forms.CharField(
        label=gettext_lazy("Name of member points"),
        required=False,
        max_length=LONGEST_NAME,
        help_text=gettext_lazy("Such as “Coins”: it stands behind a number, too. Leave empty to say “points”."),
    )
    point = forms.CharField(
        label=gettext_lazy("Name of a single member point"),
        required=False,
        max_length=LONGEST_NAME,
        help_text=gettext_lazy("Such as “Coin”. Leave empty if it is the same for one and for many."),
    )


def _field_named(form: CardForm, label: str) -> str:
    return next(name for name in form.paths if str(form.fields[name].label) == label)


def _names_form(language: str) -> type[NamesForm]:
    names = ("credits", "points") if language in _WITHOUT_PLURAL else ("credits", "points", "point")
    paths: dict[str, Path] = {name: ("words", FIELDS[language], name) for name in names}
    left_out = dict.fromkeys({"credits", "points", "point"} - paths.keys())
    return type(f"NamesForm_{FIELDS[language]}", (NamesForm,), {"paths": paths, **left_out})


def _page(language: str) -> SettingsPage:
    return SettingsPage(
        f"words_{FIELDS[language]}",
        _TITLES[language],
        cards=(CardKind("names", gettext_noop("What you call credits and points"), _names_form(language)),),
        intro=gettext_noop("Customers who read this language get your own words instead of ours."),
        links=tuple(link for other, link in LINKS.items() if other != language),
    )


LINKS: Final = {
    language: PageLink(title, f"admin:stores_settingsversion_words_{FIELDS[language]}")
    for language, title in _TITLES.items()
}
WORDS: Final = tuple(map(_page, _TITLES))
