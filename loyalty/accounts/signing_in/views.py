"""Signing in, and getting in by a link: the library's pages where ours differ."""

from typing import Any

from allauth.account.views import LoginView, PasswordResetFromKeyView
from allauth.mfa.base.views import AuthenticateView, IndexView
from allauth.usersessions.models import UserSession
from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from loyalty.accounts.letters import base_of
from loyalty.accounts.signing_in.forms import LinkForm, SignInForm
from loyalty.accounts.signing_in.lock_out import PAUSED
from loyalty.accounts.signing_in.reset import ask_for_link, link_was_followed
from loyalty.accounts.signing_in.second_factor import has_passed, who_asks
from loyalty.core.clock import read_clock
from loyalty.core.phrases import listed
from loyalty.stores.active_store import acting_user


class PauseAnswers:
    """A form that was refused because guessing is paused is answered 429, with the seconds to wait."""

    def form_invalid(self, form: Form) -> HttpResponse:
        """The form again."""
        response: HttpResponse = super().form_invalid(form)  # type: ignore[misc]
        for error in (error for errors in form.errors.as_data().values() for error in errors):
            if error.code == PAUSED and error.params:
                response.status_code = 429
                response.headers["Retry-After"] = str(error.params["seconds"])
        return response


class SignInView(PauseAnswers, LoginView):
    """The one page to sign in at."""

    form_class = SignInForm

    def get_form_class(self) -> type[Form]:
        return self.form_class


class SecondFactorsView(IndexView):
    """The second factors that somebody has, and who asks for one."""

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        """With the names of who asks."""
        names = who_asks(acting_user(self.request))
        facts = {"asked_by": listed(names), "asking": len(names), "has_passed": has_passed(self.request)}
        context: dict[str, Any] = super().get_context_data(**more)
        return context | facts


class SecondFactorView(PauseAnswers, AuthenticateView):
    """The code or passkey that an account asks for after the password."""


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def ask_for_link_page(request: HttpRequest) -> HttpResponse:
    """Asking for a link to choose a password. The answer is the same whether there is an account or not."""
    form = LinkForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        ask_for_link(form.cleaned_data["email"], base=base_of(request), now=read_clock())
        return HttpResponseRedirect(reverse("account_reset_password_done"))
    return render(request, "account/password_reset.html", {"form": form})


@method_decorator(never_cache, name="dispatch")
class FollowedLinkView(PasswordResetFromKeyView):
    """Choosing a password by a link; whoever follows it has proved the address (T6)."""

    def form_valid(self, form: Any) -> HttpResponse:
        """Prove the address first: who is not proved is not let in."""
        link_was_followed(self.reset_user)
        response: HttpResponse = super().form_valid(form)
        return response


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def sessions_page(request: HttpRequest) -> HttpResponse:
    """Where the person is signed in, and ending that."""
    sessions = UserSession.objects.purge_and_list(acting_user(request))
    if request.method == "POST":
        chosen = request.POST.get("end", "")
        for session in sessions:
            if not session.is_current() and chosen in {"others", str(session.pk)}:
                session.end()
        return HttpResponseRedirect(request.path)
    newest_first = sorted(sessions, key=lambda session: session.created_at, reverse=True)
    return render(request, "usersessions/usersession_list.html", {"sessions": newest_first})
