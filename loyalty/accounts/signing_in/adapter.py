"""Where the library's signing in meets the product's rules: guessing, proof, mail, and what is kept encrypted."""

from collections.abc import Sequence
from typing import Any, ClassVar

import requests
from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context as current
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from loyalty.accounts.invitations.pages import invitation_in_session
from loyalty.accounts.letters import base_of, write
from loyalty.accounts.models import Letter, LetterKind
from loyalty.accounts.prove import is_proved
from loyalty.accounts.signing_in.known_browsers import address_of, remember_browser
from loyalty.accounts.signing_in.lock_out import account_key, password_counters, take_or_refuse
from loyalty.accounts.signing_in.rate_limits import Counter, succeeded
from loyalty.accounts.signing_in.reset import ask_for_link
from loyalty.core.clock import read_clock
from loyalty.core.encryption import Secret
from loyalty.core.errors import Busy
from loyalty.partners.request_limits import SECONDS, at_once, seconds_left
from loyalty.stores.models import User

_UNPROVED = gettext_noop(
    "Before you can sign in, prove that this address is yours: we have sent you a link by "
    "e-mail. Follow it and choose a new password."
)


class AccountAdapter(DefaultAccountAdapter):
    """Signing in with a password, and what is told about it."""

    error_messages: ClassVar[dict[str, Any]] = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": gettext_lazy("The e-mail address or the password is wrong."),
        "incorrect_password": gettext_lazy("This password is wrong."),
    }
    _counters: Sequence[Counter] = ()

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody makes an account for himself: there are invitations (T6)."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address behind our own proxies, as it is shown in the list of sessions."""
        return address_of(request)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count the try first. Raises ValidationError while guessing is paused, for the right password too."""
        self._counters = password_counters(request, credentials.get("email", ""))
        take_or_refuse(self._counters, now=read_clock())

    def authenticate(self, request: HttpRequest, **credentials: Any) -> AbstractBaseUser | None:
        """Whose password this is; a right one is no guess."""
        user: AbstractBaseUser | None = super().authenticate(request, **credentials)
        if user is not None:
            succeeded(self._counters, now=read_clock())
        return user

    def pre_login(self, request: HttpRequest, user: AbstractBaseUser, **facts: Any) -> HttpResponse | None:
        """Let nobody in whose address was not proved, whatever password he knows: a link goes to the address (T6)."""
        refused: HttpResponse | None = super().pre_login(request, user, **facts)
        if refused is not None or not isinstance(user, User) or is_proved(user):
            return refused
        ask_for_link(user.email, base=base_of(request), now=read_clock())
        messages.warning(request, _(_UNPROVED))
        return HttpResponseRedirect(reverse("account_reset_password_done"))

    def post_login(self, request: HttpRequest, user: AbstractBaseUser, **facts: Any) -> HttpResponse:
        """From now on this browser is known, so that nobody elsewhere can keep its owner out."""
        response: HttpResponse = super().post_login(request, user, **facts)
        if isinstance(user, User):
            remember_browser(request, response, account_key(user.email))
        return response

    def get_reauthentication_methods(self, user: AbstractBaseUser | AnonymousUser) -> list[dict[str, Any]]:
        """How somebody shows once more that it is he; who has neither password nor second factor gets a link."""
        link = {"id": "link", "description": _("Get a link by e-mail"), "url": reverse("account_reset_password")}
        return super().get_reauthentication_methods(user) or [link]

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Queue what the library tells the owner of an account: a mail server that is away stops no page."""
        facts = {"request": current.request, "email": email, **context}
        subject = render_to_string(f"{template_prefix}_subject.txt", facts)
        text = render_to_string(f"{template_prefix}_message.txt", facts)
        now = read_clock()
        write(
            Letter(
                kind=LetterKind.NEWS,
                email=email,
                subject=" ".join(subject.split())[:200],
                text="\n".join(filter(None, (line.strip() for line in text.splitlines()))),
                created_at=now,
                next_attempt_at=now,
            )
        )


class SecondFactorAdapter(DefaultMFAAdapter):
    """Second factors; what they are derived from is kept encrypted."""

    def encrypt(self, text: str) -> str:
        """Under the first of the setting ``CREDENTIALS_KEYS``."""
        return Secret.of(text).token

    def decrypt(self, encrypted_text: str) -> str:
        """What :meth:`encrypt` was given. Raises Unreadable when no key opens it."""
        return Secret(encrypted_text).reveal()

    def generate_authenticator_name(self, user: AbstractBaseUser, type: Authenticator.Type) -> str:  # noqa: A002
        """The name offered for another passkey."""
        number = Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1
        return _("Passkey") if number == 1 else _("Passkey %(number)s") % {"number": number}


class _CompanySession(requests.Session):
    """Asks the company's server of accounts, which may be as slow as any partner."""

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """One request. Raises RequestException when too many wait already, as when the server is away."""
        try:
            with at_once("company accounts", most=2):
                return super().request(method, url, *args, **kwargs | {"timeout": seconds_left(SECONDS)})
        except Busy as error:
            raise requests.ConnectionError(error.detail) from error


class CompanyAccountAdapter(DefaultSocialAccountAdapter):
    """Signing in with a company's accounts: never the way into an account that is there already."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Only for whoever came by an invitation to the very address that the company's server has verified (T6)."""
        invitation = invitation_in_session(request)
        addresses = sociallogin.email_addresses
        return (
            invitation is not None
            and bool(addresses)
            and all(address.verified and address.email.lower() == invitation.email for address in addresses)
            and not User.objects.filter(email=invitation.email).exists()
        )

    def get_requests_session(self) -> requests.Session:
        """How the company's server is asked."""
        return _CompanySession()

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> AbstractBaseUser:
        """The name as the server gives it; ours has one field."""
        user: AbstractBaseUser = super().populate_user(request, sociallogin, data)
        if isinstance(user, User):
            user.name = str(data.get("name") or "")[:100]
        return user
