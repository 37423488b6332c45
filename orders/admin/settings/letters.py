"""The page *Letters*: whom a store's letters are from, and how they look (H3, H4)."""

from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from loyalty.backoffice.settings.cards import CardForm, CardKind
from loyalty.backoffice.settings.pages import SettingsPage
from loyalty.store_settings.letterhead import LONGEST_ADDRESS, LONGEST_SENDER
from orders.admin.settings.words_page import LINKS


class SenderForm(CardForm):
    """Whom letters are from, and where answers go."""

    sender = forms.CharField(
        label=gettext_lazy("Sender’s name"),
        required=False,
        max_length=LONGEST_SENDER,
        help_text=gettext_lazy("What customers see as the sender. Leave empty to use the name of your store."),
    )
    reply_to = forms.EmailField(
        label=gettext_lazy("Address for answers"),
        required=False,
        max_length=LONGEST_ADDRESS,
        help_text=gettext_lazy("Where answers of customers go. Leave empty if nobody reads them."),
    )
    paths = {"sender": ("letterhead", "sender"), "reply_to": ("letterhead", "reply_to")}

    def words(self, name: str, value: Any) -> tuple[str, str]:
        """What is said; nothing of the store's own is *ours*."""
        return value or _("ours"), ""


class ColourForm(CardForm):
    """The colour at the head of letters."""

    colour = forms.RegexField(
        r"^(#[0-9a-fA-F]{6})?$",
        label=gettext_lazy("Colour"),
        required=False,
        error_messages={"invalid": gettext_lazy("A colour looks like #1d4ed8.")},
        help_text=gettext_lazy(
            "A band of this colour with the name of your store stands at the head of each letter, such as #1d4ed8. Its "
            "words are black or white, whichever can be read better. Leave empty for none."
        ),
    )
    paths = {"colour": ("letterhead", "colour")}

    def words(self, name: str, value: Any) -> tuple[str, str]:
        """The colour, if there is one."""
        return value or _("none"), ""


LETTERS: Final = SettingsPage(
    "letters",
    gettext_noop("Letters"),
    cards=(
        CardKind("sender", gettext_noop("Whom letters are from"), SenderForm),
        CardKind("colour", gettext_noop("Colour of letters"), ColourForm),
    ),
    intro=gettext_noop("What they say is on the pages of each language."),
    links=tuple(LINKS.values()),
)
