"""Signing in with a company's accounts: what is shown while the company's server is away, or answers nonsense."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Final

from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect import views
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from requests import RequestException

logger = logging.getLogger(__name__)

Page = Callable[[HttpRequest, str], HttpResponse]

# The library reads the server's answers as they come: what is missing or of another shape are the last four.
_THEIR_FAULT: Final = (RequestException, OAuth2Error, LookupError, TypeError, ValueError, AttributeError)


def _told_plainly(page: Page) -> Page:
    """The library's page, and a page that says what to do where it fails because of the company's server."""

    @wraps(page)
    def show(request: HttpRequest, provider_id: str) -> HttpResponse:
        try:
            return page(request, provider_id)
        except _THEIR_FAULT:
            logger.exception("The company's server of accounts did not answer as it should.")
            answer = render(request, "socialaccount/authentication_error.html", status=503)
            answer.headers["Retry-After"] = "30"
            return answer

    return show


sign_in_page: Final = _told_plainly(views.login)
signed_in_page: Final = _told_plainly(views.callback)
