"""The pages that an invitation's link leads to (T6)."""

from typing import Final

from allauth.account.utils import perform_login
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from loyalty.accounts.invitations.invite import accept, accept_with_new_account, needs_account
from loyalty.accounts.invitations.links import find_by_link
from loyalty.accounts.models import Invitation
from loyalty.accounts.signing_in.forms import JoinForm
from loyalty.core.clock import read_clock
from loyalty.core.errors import DomainError
from loyalty.database.named_stores import in_store
from loyalty.stores.active_store import SESSION_KEY as LAST_STORE
from loyalty.stores.active_store import acting_user

# The session keeps the link while its reader signs in: an address with a secret in it goes into histories and Referers.
_LINK: Final = "invitation"


@never_cache
@require_safe
def link_page(request: HttpRequest, store_id: int, secret: str) -> HttpResponse:
    """The address in the letter: remember the link, and go where no secret stands in the address."""
    request.session[_LINK] = [store_id, secret]
    return HttpResponseRedirect(reverse("account_invitation"))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation_page(request: HttpRequest) -> HttpResponse:
    """Who invites, and accepting: as the person signed in, or by choosing a password."""
    invitation = invitation_in_session(request)
    if invitation is None:
        return render(request, "loyalty/accounts/invitation_over.html", status=404)
    with in_store(invitation.store_id):
        return _answer(request, invitation)


def _answer(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    try:
        if request.user.is_authenticated:
            return _for_the_signed_in(request, invitation)
        if needs_account(invitation):
            return _for_the_new(request, invitation)
    except DomainError as error:
        return render(request, "loyalty/accounts/invitation_over.html", {"detail": error.detail}, status=409)
    return _shown(request, invitation, "sign_in", status=403 if request.method == "POST" else 200)


def invitation_in_session(request: HttpRequest) -> Invitation | None:
    """The invitation whose link this browser followed, while it counts."""
    kept = request.session.get(_LINK)
    return find_by_link(kept[0], kept[1], now=read_clock()) if kept else None


def _for_the_signed_in(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    user = acting_user(request)
    if user.email != invitation.email:
        return _shown(request, invitation, "somebody_else", status=403 if request.method == "POST" else 200)
    if request.method != "POST":
        return _shown(request, invitation, "accept")
    accept(invitation, user=user, now=read_clock())
    return _welcome(request, invitation)


def _for_the_new(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    form = JoinForm(request.POST if request.method == "POST" else None, email=invitation.email)
    if not form.is_valid():
        return _shown(request, invitation, "new", form=form)
    user = accept_with_new_account(
        invitation, name=form.cleaned_data["name"], password=form.cleaned_data["password1"], now=read_clock()
    )
    welcome = _welcome(request, invitation)
    signed_in: HttpResponse = perform_login(request, user, email=user.email, redirect_url=welcome["Location"])
    return signed_in


def _welcome(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    request.session.pop(_LINK, None)
    request.session[LAST_STORE] = invitation.store_id
    messages.success(
        request,
        _("You now work in %(store)s. Your role: %(role)s.")
        % {"store": invitation.store, "role": invitation.get_role_display()},
    )
    return HttpResponseRedirect(reverse("admin:index"))


def _shown(
    request: HttpRequest, invitation: Invitation, what: str, *, form: JoinForm | None = None, status: int = 200
) -> HttpResponse:
    facts = {"invitation": invitation, "store": invitation.store, "what": what, "form": form}
    return render(request, "loyalty/accounts/invitation.html", facts, status=status)
