"""A page with one form, or with what came of it."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from loyalty.backoffice.base import BackOfficeAdmin


def form_page(
    model_admin: BackOfficeAdmin, request: HttpRequest, title: str, back: str, more: dict[str, Any]
) -> HttpResponse:
    """The page ``loyalty/form_page.html``; ``back`` names the address to go back to, ``more`` is what it shows."""
    context = {
        **model_admin.admin_site.each_context(request),
        "title": title,
        "opts": model_admin.opts,
        "back": reverse(back),
        **more,
    }
    response = TemplateResponse(request, "loyalty/form_page.html", context)
    # Keys must not stay in a cache on the way.
    response.headers["Cache-Control"] = "no-store"
    return response
