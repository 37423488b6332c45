"""The page *To be tried again*: what failed and waits, of every kind, and trying it again by hand."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.backoffice.base import BackOfficeAdmin, store_view
from loyalty.backoffice.lists.paging import page_of
from loyalty.core.clock import read_clock
from loyalty.core.errors import DomainError
from loyalty.jobs.waiting import Waiting
from loyalty.languages.own_names import own_words
from loyalty.stores.active_store import active_store, may
from loyalty.stores.roles import Can
from orders.admin.desk.waiting_rows import KINDS, rows_of, waiting

PAGE: Final = "admin:orders_problem_waiting"
_ANY: Final = ("", gettext_lazy("Any"))
_GIVEN_UP: Final = "given_up"
_STATES: Final = (_ANY, (_GIVEN_UP, gettext_lazy("Given up")), ("waiting", gettext_lazy("Tried again by itself")))


class WaitingFilterForm(forms.Form):
    """The filters of the page."""

    state = forms.ChoiceField(label=gettext_lazy("State"), choices=_STATES, required=False)
    kind = forms.ChoiceField(label=gettext_lazy("What"), required=False)

    def __init__(self, data: Any, *, kinds: list[Waiting]) -> None:
        super().__init__(data, auto_id="filter_%s", label_suffix="")
        choices: Any = self.fields["kind"]
        choices.choices = [_ANY, *((kind.key, own_words(kind.label)) for kind in kinds)]
        self.is_valid()


@store_view(needs=Can.VIEW, methods=("GET",))
def waiting_page(self: BackOfficeAdmin, request: HttpRequest, _row: None) -> HttpResponse:
    """What failed and waits, newest first, of the kinds that this person may see."""
    store = active_store(request)
    kinds = [kind for kind in KINDS.values() if may(request, kind.sees)]
    form = WaitingFilterForm(request.GET, kinds=kinds)
    state, chosen = form.cleaned_data.get("state"), form.cleaned_data.get("kind")
    found = waiting(store, [KINDS[chosen]] if chosen else kinds, given_up=state == _GIVEN_UP if state else None)
    page = page_of(request, found)
    may_try = {kind.key for kind in kinds if may(request, kind.needs)}
    context = {
        **self.admin_site.each_context(request),
        "title": _("To be tried again"),
        "content_title": _("To be tried again"),
        "form": form,
        "filtered": bool(state or chosen),
        "page": page,
        "rows": rows_of(page, store, may_try, read_clock()),
        "may_try": bool(may_try),
    }
    return TemplateResponse(request, "orders/admin/desk/waiting.html", context)


@store_view(needs=Can.VIEW, methods=("POST",))
def again_page(self: BackOfficeAdmin, request: HttpRequest, _row: None, kind: str, key: int) -> HttpResponse:
    """Try one again now; each kind has its own permission."""
    chosen = KINDS.get(kind)
    if chosen is None:
        raise Http404
    if not may(request, chosen.needs):
        raise PermissionDenied
    try:
        tried = chosen.try_again(store=active_store(request), key=key, now=read_clock())
    except DomainError as error:
        messages.info(request, error.detail)
    else:
        if tried:
            messages.success(request, _("It is tried again within a minute. Look here again then."))
        else:
            messages.info(request, _("There is nothing to try: it is a test, or what it said was erased."))
    return HttpResponseRedirect(f"{reverse(PAGE)}?{request.GET.urlencode()}")
