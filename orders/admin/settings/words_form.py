"""What can be said otherwise than we say it, in one language: names, and the words of each kind of letter (H3, H4)."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, Final

from django import forms
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, override

from loyalty.backoffice.settings.cards import CardForm, Change, Path
from loyalty.core.phrases import listed
from loyalty.notices.voice import Voice
from loyalty.store_settings.words import (
    FIELDS,
    LONGEST_NAME,
    LONGEST_SUBJECT,
    LONGEST_TEXT,
    PLACEHOLDERS,
    About,
)

OURS: Final = "_ours"
# Languages that do not say one Coin otherwise than many.
_WITHOUT_PLURAL: Final = frozenset({"zh-hant", "ja"})
_MEANINGS: Final[Mapping[str, str]] = {
    "customer": gettext_noop("the customer’s name; “customer” where you do not know it"),
    "store": gettext_noop("the name of your store"),
    "order": gettext_noop("the number of the order"),
    "amount": gettext_noop("how much, such as “%(amount)s”"),
    "reward": gettext_noop("the name of the reward"),
    "day": gettext_noop("the first of the last days of use"),
    "kind": gettext_noop("what you call that which has changed: your name for credits or for points"),
}
TITLES: Final[Mapping[About, str]] = {
    "cancelled": gettext_noop("An order was cancelled"),
    "not_paid": gettext_noop("An order was cancelled, because it was not paid in time"),
    "payment_failed": gettext_noop("An order was cancelled, because the payment failed"),
    "returned": gettext_noop("Something was returned for an order that goes on"),
    "reversed": gettext_noop("A redemption was reversed"),
    "expiring": gettext_noop("Credits or points expire soon"),
    "adjusted": gettext_noop("Credits or points were given or removed by hand"),
}


class WordsForm(CardForm):
    """What a store says in one language; what is left empty is said as we say it."""

    template_of_card = "orders/admin/settings/words_card.html"

    def __init__(self, data: QueryDict | None = None, **kwargs: Any) -> None:
        if data is not None and OURS in data:
            # Back to ours, whatever else was typed.
            data = data.copy()
            for name in self.paths:
                data[name] = ""
        super().__init__(data, **kwargs)

    @property
    def has_own(self) -> bool:
        """Whether the store says something of its own here."""
        return any(self.initial.values())

    def words(self, name: str, value: str) -> tuple[str, str]:
        """What is said; nothing of the store's own is *ours*."""
        return value or _("ours"), ""

    def said(self) -> list[Change]:
        """What the store says otherwise than we do."""
        return [(str(self.fields[name].label), self.initial[name], "") for name in self.paths if self.initial[name]]


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


class LetterForm(WordsForm):
    """What one kind of letter says in one language."""

    about: ClassVar[About]
    language: ClassVar[str]

    subject = forms.CharField(
        label=gettext_lazy("Subject"),
        required=False,
        max_length=LONGEST_SUBJECT,
        help_text=gettext_lazy("Leave empty for ours."),
    )
    opening = forms.CharField(
        label=gettext_lazy("Opening lines"),
        required=False,
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("They stand after the greeting. Line breaks stay. Leave empty for ours."),
    )
    closing = forms.CharField(
        label=gettext_lazy("Closing lines"),
        required=False,
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("They stand at the end, before the name of your store. Leave empty for none."),
    )

    def clean(self) -> dict[str, Any]:
        """The words, with one sign for each line's end."""
        cleaned: dict[str, Any] = super().clean() or {}
        return {name: "\n".join(text.splitlines()) for name, text in cleaned.items()}

    @property
    def change_labels(self) -> Mapping[str, str]:  # type: ignore[override] # the history names the letter as well
        """What the history calls each field."""
        words = _("%(letter)s: %(part)s")
        letter = _(TITLES[self.about])
        return {name: words % {"letter": letter, "part": self.fields[name].label} for name in self.paths}

    @property
    def placeholders(self) -> list[tuple[str, str]]:
        """What the words can name: how it is written, and what stands there."""
        voice = Voice(self.store, self.settings)
        with override(self.language):
            amount = listed([voice.show(Decimal(5), self.store.currency), voice.show(100, "")])
        return [(f"{{{name}}}", _(_MEANINGS[name]) % {"amount": amount}) for name in PLACEHOLDERS[self.about]]

    @property
    def preview_address(self) -> str:
        """Where an example is shown."""
        return reverse("admin:stores_settingsversion_letter", args=[FIELDS[self.language], self.about])

    @property
    def trial_address(self) -> str:
        """Where an example is sent from, to oneself."""
        return reverse("admin:stores_settingsversion_trial", args=[FIELDS[self.language], self.about])


def names_form(language: str) -> type[NamesForm]:
    """The card of names in one language."""
    names = ("credits", "points") if language in _WITHOUT_PLURAL else ("credits", "points", "point")
    paths: dict[str, Path] = {name: ("words", FIELDS[language], name) for name in names}
    left_out = dict.fromkeys({"credits", "points", "point"} - paths.keys())
    return type(f"NamesForm_{FIELDS[language]}", (NamesForm,), {"paths": paths, **left_out})


def letter_form(language: str, about: About) -> type[LetterForm]:
    """The card of one kind of letter in one language."""
    paths: dict[str, Path] = {
        part: ("words", FIELDS[language], about, part) for part in ("subject", "opening", "closing")
    }
    own = {"paths": paths, "about": about, "language": language}
    return type(f"LetterForm_{FIELDS[language]}_{about}", (LetterForm,), own)
