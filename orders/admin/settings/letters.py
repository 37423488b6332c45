"""The page *Letters*: whom a store's letters are from, and how they look (H3, H4)."""

from typing import Any, Final

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from loyalty.backoffice.settings.cards import CardForm, CardKind
from loyalty.backoffice.settings.pages import SettingsPage
from loyalty.core.errors import Invalid
from loyalty.store_settings.letterhead import LONGEST_ADDRESS, LONGEST_SENDER
from loyalty.store_settings.logo import LARGEST, Picture, keep_logo, logo_named, read_picture, size_of, too_large
from orders.admin.settings.words_form import OURS
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
        help_text=gettext_lazy("Where customers’ replies go. Leave empty if nobody reads them."),
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


class LogoForm(CardForm):
    """The picture at the head of letters: one that is brought, or none any more."""

    template_of_card = "orders/admin/settings/logo_card.html"
    again = gettext_noop("Choose the picture again and press Save if you want it all the same.")

    logo = forms.FileField(
        label=gettext_lazy("Picture"),
        required=False,
        max_length=255,
        # It is said of the picture then, as of every other that is none.
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/gif,image/webp"}),
        help_text=gettext_lazy(
            "PNG, JPEG, GIF or WebP, 700 KB at most. We draw it anew, at most 600 by 200 pixels. Letters show it at "
            "half that size, on white even in the dark. Mail programs that show no pictures show your store’s name."
        ),
    )
    paths = {"logo": ("letterhead", "logo")}
    change_labels = {"logo": gettext_noop("Logo")}
    picture: Picture | None = None

    def clean_logo(self) -> str:
        """The name of what is brought; none for *back to ours*. Raises ValidationError for what is no such picture."""
        brought = self.cleaned_data["logo"]
        if OURS in self.data:
            return ""
        if not isinstance(brought, UploadedFile):
            raise forms.ValidationError(_("Choose a picture first."))
        if (brought.size or 0) > LARGEST:
            raise forms.ValidationError(too_large())
        try:
            brought.seek(0)
            self.picture = read_picture(brought.read(), "/letterhead/logo")
        except Invalid as error:
            raise forms.ValidationError(error.detail) from error
        return self.picture.name

    def keep(self) -> None:
        """Keep the picture."""
        if self.picture:
            keep_logo(self.store, self.picture)

    @property
    def shown(self) -> Picture | None:
        """The picture that letters have now."""
        return logo_named(self.store, self.initial["logo"])

    def words(self, name: str, value: Any) -> tuple[str, str]:
        """How large the picture is, if there is one."""
        if not value:
            return _("none"), ""
        width, height = size_of(value)
        said = _("a picture of %(width)s by %(height)s pixels, “%(name)s”")
        return said % {"width": width, "height": height, "name": value[:6]}, ""


LETTERS: Final = SettingsPage(
    "letters",
    gettext_noop("Letters"),
    cards=(
        CardKind("sender", gettext_noop("Whom letters are from"), SenderForm),
        CardKind("logo", gettext_noop("Logo"), LogoForm),
        CardKind("colour", gettext_noop("Colour of letters"), ColourForm),
    ),
    intro=gettext_noop("What they say is on the pages of each language."),
    links=tuple(LINKS.values()),
)
