"""The page on which somebody chooses the language of the back-office (T4)."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from loyalty.languages.spoken import LANGUAGES
from loyalty.stores.active_store import acting_user


class LanguageForm(forms.Form):
    """One of the languages, each called as it calls itself, or none: the browser's, then the store's."""

    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        choices=[("", gettext_lazy("As my browser asks, else as the store")), *LANGUAGES],
        required=False,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **({"label_suffix": ""} | kwargs))


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def language_page(request: HttpRequest) -> HttpResponse:
    """Choose the language; it counts in every store."""
    user = acting_user(request)
    form = LanguageForm(request.POST if request.method == "POST" else None, initial={"language": user.language})
    if form.is_valid():
        user.language = form.cleaned_data["language"]
        user.save(update_fields=["language"])
        with override(user.language or None):
            messages.success(request, _("Your language is saved."))
        return HttpResponseRedirect(reverse("account_language"))
    return render(request, "loyalty/accounts/language.html", {"form": form})
