"""Pages of settings: cards that are saved each by itself, and who changed what, with the way back (H4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from loyalty.backoffice.base import BackOfficeAdmin, StoreView, View, store_view
from loyalty.backoffice.settings.cards import CardForm, CardKind, Change, Sample, differences, patch_of, value_at
from loyalty.core.clock import read_clock
from loyalty.core.errors import Invalid, VersionConflict
from loyalty.core.phrases import enumerated
from loyalty.jobs.periodic import wake
from loyalty.languages.own_names import own_words
from loyalty.store_settings.save import change_settings
from loyalty.store_settings.sections import StoreSettings, current_settings, not_understood, settings_from_json
from loyalty.stores.active_store import acting, active_store, may
from loyalty.stores.actors import actor_names
from loyalty.stores.dates import show_moment
from loyalty.stores.models import SettingsVersion, Store
from loyalty.stores.roles import Can

VERSIONS_SHOWN: Final = 50
_LONGEST_VERSION: Final = 10


@dataclass(frozen=True, slots=True)
class PageLink:
    """A way from a settings page to another page, for who may go there."""

    words: str
    address: str
    needs: Can = Can.VIEW


@dataclass(frozen=True, slots=True)
class SettingsPage:
    """One area of the settings. Saving a card of it wakes the jobs named by ``wakes``, for what has become due."""

    key: str
    title: str
    cards: Sequence[CardKind]
    intro: str = ""
    wakes: Sequence[str] = ()
    links: Sequence[PageLink] = ()

    @property
    def address(self) -> str:
        """Where the page is."""
        return reverse(f"admin:stores_settingsversion_{self.key}")

    def view(self) -> StoreView:
        """The page as an address of the settings' admin."""
        return StoreView(f"{self.key.replace('_', '-')}/", self.key, _page_view(self))


@dataclass(frozen=True, slots=True)
class Card:
    """One card as the page shows it."""

    key: str
    title: str
    form: CardForm
    sentence: str
    samples: Sequence[Sample]


def _page_view(page: SettingsPage) -> View:
    @store_view(needs=Can.VIEW)
    def view(self: BackOfficeAdmin, request: HttpRequest, _row: None) -> HttpResponse:
        """Show the cards; save one, or show what a choice that is not saved yet would mean."""
        if request.method == "POST" and not may(request, Can.CHANGE_SETTINGS):
            raise PermissionDenied
        return _Shown(page, request).answer(self)

    return view


def restore_view(pages: Sequence[SettingsPage]) -> View:
    """Saves what an older version had on one page as a new version; other settings stay as they are."""
    by_key = {page.key: page for page in pages}

    @store_view(needs=Can.CHANGE_SETTINGS, methods=("POST",))
    def view(self: BackOfficeAdmin, request: HttpRequest, version: SettingsVersion, page: str) -> HttpResponse:
        if page not in by_key:
            raise Http404
        return _restore(by_key[page], request, version)

    return view


class _Shown:
    """One request for a page: what was sent, whether it is saved, and what is shown."""

    def __init__(self, page: SettingsPage, request: HttpRequest) -> None:
        self.page, self.request = page, request
        self.store, self.now = active_store(request), read_clock()
        self.settings = current_settings(self.store)
        self.sent = next((card for card in page.cards if card.key == request.POST.get("card")), None)
        self.form = self._form(self.sent) if self.sent else None
        self.stale: list[str] = []

    def answer(self, model_admin: BackOfficeAdmin) -> HttpResponse:
        """Save what was sent, if it is right and to be saved; else show the page."""
        if self.sent and self.form and self.form.is_valid() and "_preview" not in self.request.POST:
            self._try_to_save(self.sent, self.form)
            if not self.stale and self.form.is_valid():
                messages.success(self.request, self.form.done(self.sent.title))
                return HttpResponseRedirect(self.page.address)
        return TemplateResponse(self.request, "loyalty/settings/settings.html", self._context(model_admin))

    def _form(self, card: CardKind) -> CardForm:
        return card.form(self.request.POST, files=self.request.FILES, settings=self.settings, store=self.store)

    def _try_to_save(self, card: CardKind, form: CardForm) -> None:
        try:
            with transaction.atomic():
                form.keep()
                save(self.page, self.request, form.patch(), self.now)
        except Invalid as error:
            form.show_refusal(error)
        except VersionConflict:
            self.settings = current_settings(self.store)
            self.form = self._form(card)
            # Sent twice, or saved alike by somebody else: what was asked for is so.
            if self.form.chosen() != self.settings:
                self.stale = _changed_meanwhile(self.page, self.store, read_version(self.request))

    def _context(self, model_admin: BackOfficeAdmin) -> dict[str, Any]:
        history, older = _history(self.page, self.store, before=self.request.GET.get("before", ""))
        return {
            **model_admin.admin_site.each_context(self.request),
            "title": own_words(self.page.title),
            "content_title": own_words(self.page.title),
            "page": self.page,
            "links": [
                (own_words(item.words), reverse(item.address))
                for item in self.page.links
                if may(self.request, item.needs)
            ],
            "cards": [self._card(kind) for kind in self.page.cards],
            "settings": self.settings,
            "stale": self.stale,
            "again": self.form.again if self.form else "",
            # A card that is only looked at, or wrong, keeps the version it was filled in from; a stale one was warned.
            "sent": self.sent.key if self.sent and not self.stale else "",
            "sent_version": read_version(self.request),
            "may_change": may(self.request, Can.CHANGE_SETTINGS),
            "history": history,
            "older": older,
        }

    def _card(self, kind: CardKind) -> Card:
        sent = self.form if kind is self.sent else None
        form = sent or kind.form(settings=self.settings, store=self.store)
        # Told for what is chosen, saved or not.
        chosen = form.chosen()
        sentence = kind.effect(self.store, chosen, self.now) if kind.effect else ""
        samples = kind.samples(self.store, chosen, self.now) if kind.samples else ()
        return Card(kind.key, kind.title, form, sentence, samples)


def save(page: SettingsPage, request: HttpRequest, patch: Mapping[str, Any], now: datetime) -> None:
    """Save a change made on ``page`` from the version that the form was filled in from.

    Raises VersionConflict when somebody saved in between, Invalid for what the settings' check refuses.
    """
    store, version = active_store(request), read_version(request)
    change_settings(store=store, patch=patch, actor=acting(request), now=now, version=version)
    for job in page.wakes:
        wake(job)


def read_version(request: HttpRequest) -> int:
    """The version of the settings that a sent form was made from; -1, which none has, for nonsense."""
    text = request.POST.get("version", "")
    return int(text) if text.isdecimal() and len(text) < _LONGEST_VERSION else -1


def version_changes(pages: Sequence[SettingsPage], version: SettingsVersion) -> list[tuple[SettingsPage, list[Change]]]:
    """What a version changed, page by page; one query, for the version before it."""
    store = version.store
    earlier = SettingsVersion.objects.for_store(store).filter(version__lt=version.version).order_by("-version").first()
    before = settings_from_json(earlier.data, version=earlier.version) if earlier else StoreSettings()
    after = settings_from_json(version.data, version=version.version)
    found = [(page, differences(page.cards, before, after, store=store)) for page in pages]
    return [(page, changes) for page, changes in found if changes]


def version_says(pages: Sequence[SettingsPage], version: SettingsVersion) -> list[tuple[SettingsPage, list[Change]]]:
    """All that governed under a version, page by page."""
    settings = settings_from_json(version.data, version=version.version)
    forms = [(page, [card.form(settings=settings, store=version.store) for card in page.cards]) for page in pages]
    found = [(page, [said for form in cards for said in form.said()]) for page, cards in forms]
    return [(page, said) for page, said in found if said]


def _restore(page: SettingsPage, request: HttpRequest, version: SettingsVersion) -> HttpResponse:
    old = settings_from_json(version.data, version=version.version)
    paths = [path for card in page.cards for path in card.form.paths.values()]
    strange = {".".join(path) for path in paths} & set(not_understood(version.data))
    if strange:
        words = _("Nothing was restored: version %(version)s says what this release does not understand (%(names)s).")
        messages.error(request, words % {"version": version.version, "names": enumerated(sorted(strange))})
        return HttpResponseRedirect(page.address)
    try:
        save(page, request, patch_of({path: value_at(old, path) for path in paths}), read_clock())
    except Invalid as error:
        messages.error(request, _("Nothing was restored. %(reason)s") % {"reason": error.detail})
    except VersionConflict:
        messages.error(request, _("Nothing was restored: somebody changed the settings in between. Look again first."))
    else:
        messages.success(
            request,
            _("“%(title)s” is as it was in version %(version)s.")
            % {"title": own_words(page.title), "version": version.version},
        )
    return HttpResponseRedirect(page.address)


def _changed_meanwhile(page: SettingsPage, store: Store, read: int) -> list[str]:
    """Who saved last, and what is different from the version that was read."""
    versions = {row.version: row for row in SettingsVersion.objects.for_store(store).order_by("-version")[:1]}
    versions |= {row.version: row for row in SettingsVersion.objects.for_store(store).filter(version=read)}
    newest = versions[max(versions)]
    who = actor_names([newest.actor])[newest.actor]
    before = settings_from_json(versions[read].data, version=read) if read in versions else StoreSettings()
    after = settings_from_json(newest.data, version=newest.version)
    return [
        _("%(who)s saved version %(version)s on %(moment)s.")
        % {"who": who, "version": newest.version, "moment": show_moment(newest.created_at, store)}
    ] + [
        _("%(label)s: from “%(old)s” to “%(new)s”.") % {"label": label, "old": old, "new": new}
        for label, old, new in differences(page.cards, before, after, store=store)
    ]


def _history(page: SettingsPage, store: Store, *, before: str) -> tuple[list[dict[str, Any]], int | None]:
    """Versions that changed something on this page, newest first, and where older ones begin.

    Two queries, one of them for names: of the next versions before the version ``before``, if it names one.
    """
    versions = SettingsVersion.objects.for_store(store).order_by("-version")
    if before.isdecimal() and len(before) < _LONGEST_VERSION:
        versions = versions.filter(version__lt=int(before))
    rows = list(versions[: VERSIONS_SHOWN + 1])
    more = len(rows) > VERSIONS_SHOWN
    states = [settings_from_json(row.data, version=row.version) for row in rows]
    earlier = [*states[1:], *([] if more else [StoreSettings()])]
    names = actor_names(row.actor for row in rows)
    found = [
        {
            "id": row.pk,
            "version": row.version,
            "when": show_moment(row.created_at, store),
            "who": names[row.actor],
            "changes": changes,
        }
        for row, old, new in zip(rows, earlier, states, strict=False)
        if (changes := differences(page.cards, old, new, store=store))
    ]
    return found, (rows[VERSIONS_SHOWN - 1].version if more else None)
