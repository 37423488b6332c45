"""The pages *Words*, one for each language; an example of each letter, and sending that to oneself (H3, H4)."""

from typing import Final, cast

from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, override
from django.views.decorators.clickjacking import xframe_options_sameorigin

from loyalty.accounts.letters import write_trial
from loyalty.accounts.signing_in.rate_limits import Counter, Limit, Paused, take
from loyalty.backoffice.base import BackOfficeAdmin, store_view
from loyalty.backoffice.settings.cards import CardKind
from loyalty.backoffice.settings.pages import PageLink, SettingsPage
from loyalty.core.clock import read_clock
from loyalty.core.errors import Invalid
from loyalty.notices.voice import Voice
from loyalty.notices.write import Message
from loyalty.store_settings.check import check_settings
from loyalty.store_settings.logo import with_its_picture
from loyalty.store_settings.sections import current_settings
from loyalty.store_settings.words import FIELDS, PLACEHOLDERS, About
from loyalty.stores.active_store import acting_user, active_store
from loyalty.stores.roles import Can
from loyalty.web.security import HEADER
from orders.admin.settings.examples import example_of
from orders.admin.settings.words_form import TITLES, LetterForm, letter_form, names_form

_TITLES: Final = {
    "en": gettext_noop("Words in English"),
    "zh-hant": gettext_noop("Words in Traditional Chinese"),
    "de": gettext_noop("Words in German"),
    "ja": gettext_noop("Words in Japanese"),
}
_LANGUAGES: Final = {field: language for language, field in FIELDS.items()}
_TRIALS: Final = Limit("trial", free=20)
# A letter's own styles and logo, and nothing else: it is framed by the settings page, and by no other.
_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox"
)


def _page(language: str) -> SettingsPage:
    return SettingsPage(
        f"words_{FIELDS[language]}",
        _TITLES[language],
        cards=(
            CardKind("names", gettext_noop("What you call credits and points"), names_form(language)),
            *(CardKind(about, title, letter_form(language, about)) for about, title in TITLES.items()),
        ),
        intro=gettext_noop("Customers who read this language get your own words instead of ours."),
        links=tuple(link for other, link in LINKS.items() if other != language),
    )


LINKS: Final = {
    language: PageLink(title, f"admin:stores_settingsversion_words_{FIELDS[language]}")
    for language, title in _TITLES.items()
}
WORDS: Final = tuple(map(_page, _TITLES))


@xframe_options_sameorigin
@store_view(needs=Can.VIEW)
def letter_page(admin: BackOfficeAdmin, request: HttpRequest, _row: None, language: str, about: str) -> HttpResponse:
    """``admin:stores_settingsversion_letter``: an example of a letter, with what is typed if that was sent."""
    form = _form(request, language, about)
    if form.is_bound and not form.is_valid():
        return _shown(_("This cannot be shown yet:"), form)
    return _shown("", form)


@xframe_options_sameorigin
@store_view(needs=Can.CHANGE_SETTINGS, methods=("POST",))
def trial_page(admin: BackOfficeAdmin, request: HttpRequest, _row: None, language: str, about: str) -> HttpResponse:
    """``admin:stores_settingsversion_trial``: send the example to whoever asks for it, and to nobody else."""
    form = _form(request, language, about)
    if not form.is_valid():
        return _shown(_("Nothing was sent:"), form)
    person, now = acting_user(request), read_clock()
    try:
        take([Counter(_TRIALS, account=person.email)], now=now)
    except Paused as paused:
        words = _("Nothing was sent: these were many tests in a short time. Try again in %(wait)s.")
        return _shown(words % {"wait": paused.wait}, form)
    message = _example(form)
    write_trial(
        store=form.store,
        email=person.email,
        subject=_("Test: %(subject)s") % {"subject": message.subject},
        text=message.text,
        html=message.html,
        language=message.language,
        now=now,
    )
    return _shown(_("A test message is on its way to %(email)s.") % {"email": person.email}, form)


def _form(request: HttpRequest, language: str, about: str) -> LetterForm:
    if language not in _LANGUAGES or about not in PLACEHOLDERS:
        raise Http404
    store = active_store(request)
    data = request.POST if request.method == "POST" else None
    kind = letter_form(_LANGUAGES[language], cast(About, about))
    form = kind(data, settings=current_settings(store), store=store)
    if form.is_bound and form.is_valid():
        try:
            check_settings(form.chosen(), store)
        except Invalid as error:
            form.show_refusal(error)
    return form


def _example(form: LetterForm) -> Message:
    with override(form.language):
        return example_of(form.about, Voice(form.store, form.chosen()), read_clock())


def _shown(said: str, form: LetterForm) -> HttpResponse:
    """The letter with what is said above it and its subject and plain text below; what is wrong instead."""
    mistakes = [(_part(form, name), error) for name, errors in form.errors.items() for error in errors]
    if mistakes:
        page: str = render_to_string("orders/admin/settings/letter_refused.html", {"said": said, "mistakes": mistakes})
    else:
        message = _example(form)
        above = render_to_string("orders/admin/settings/letter_above.html", {"said": said, "message": message})
        below = render_to_string("orders/admin/settings/letter_below.html", {"message": message})
        page = (
            with_its_picture(message.html, form.store)
            .replace("<table", f"{above}<table", 1)
            .replace("</body>", f"{below}</body>", 1)
        )
    return HttpResponse(page, headers={HEADER: _POLICY})


def _part(form: LetterForm, name: str) -> str:
    """What the page calls a field; empty for what is wrong with several."""
    return str(form.fields[name].label) if name in form.fields else ""
