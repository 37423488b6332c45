"""The library's forms, with our words and limits."""

from datetime import datetime
from typing import Any

from allauth.account.forms import LoginForm, ResetPasswordKeyForm
from allauth.core import context as current
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.accounts.signing_in.lock_out import USED_CODE, code_counters, take_or_refuse
from loyalty.accounts.signing_in.rate_limits import Counter, Paused, succeeded, take
from loyalty.core.clock import read_clock
from loyalty.stores.models import User


class SignInForm(LoginForm):
    """E-mail address and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        self.fields["login"].label = _("E-mail address")
        self.fields["login"].widget.attrs = {"type": "email", "autocomplete": "username", "autofocus": True}
        self.fields["password"].widget.attrs = {"autocomplete": "current-password"}

    def add_prefix(self, field_name: str) -> str:
        """The field goes by the name that Django's admin has always given it."""
        return str(super().add_prefix("username" if field_name == "login" else field_name))


class _LimitedCode(forms.Form):
    """A form with a code of a second factor, which can be guessed no more often than a password."""

    user: Any
    authenticator: Authenticator

    def clean_code(self) -> str:
        """Count the try, then look at the code."""
        now = read_clock()
        counters = code_counters(current.request, self.user.email)
        take_or_refuse(counters, now=now)
        code: str = super().clean_code()  # type: ignore[misc]
        if self.authenticator.type == Authenticator.Type.TOTP:
            self._use_up(code, now)
        succeeded(counters, now=now)
        return code

    def _use_up(self, code: str, now: datetime) -> None:
        """Nobody who looked over a shoulder signs in with the same six digits, whether the cache is there or not."""
        digits = "".join(filter(str.isdigit, code))
        try:
            take([Counter(USED_CODE, f"user {self.user.pk}", digits)], now=now)
        except Paused as paused:
            raise ValidationError(_("This code was used already. Wait for the next one.")) from paused


class CodeForm(_LimitedCode, AuthenticateForm):
    """The code asked for while signing in."""


class CodeAgainForm(_LimitedCode, ReauthenticateForm):
    """The code asked for before something delicate."""


class SetUpAppForm(ActivateTOTPForm):
    """The first code of an app, which shows that it was set up."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = _("The six digits that the app shows")
        self.fields["code"].widget.attrs |= {"inputmode": "numeric", "placeholder": ""}


class JoinForm(ResetPasswordKeyForm):
    """Name and password of somebody who accepts an invitation and has no account yet."""

    name = forms.CharField(
        label=gettext_lazy("Your name"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    field_order = ("name", "password1", "password2")

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        # The address only, for the rule that a password is not like it.
        super().__init__(*args, user=User(email=email), **kwargs)
        self.fields["password1"].label, self.fields["password2"].label = _("Choose a password"), _("The same again")


class LinkForm(forms.Form):
    """Where a link to choose a password shall go."""

    email = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        max_length=254,
        label_suffix="",
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )
