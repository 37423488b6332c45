"""The Content-Security-Policy of every answer."""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from loyalty.web.addresses import BACK_OFFICE

HEADER = "Content-Security-Policy"

STRICT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# The admin theme's Alpine build evaluates its attributes, and the theme's colours are an inline style.
ADMIN = (
    "default-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


# Written out: within the pages of a store these addresses have no names.
_SIGNING_IN = ("/accounts/", "/admin/login/")


class ContentSecurityPolicyMiddleware:
    """Sets the policy, unless the view set one of its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, with a policy."""
        response = self.get_response(request)
        response.headers.setdefault(HEADER, policy_of(request.path))
        return response


def policy_of(path: str) -> str:
    """The policy of a page: the back-office has its own, and signing in may lead to the company's server."""
    if path.startswith(_SIGNING_IN):
        return STRICT.replace("form-action 'self'", f"form-action 'self' {_company_server()}".rstrip())
    return ADMIN if path.startswith(BACK_OFFICE) else STRICT


def _company_server() -> str:
    server = urlsplit(settings.OIDC_SERVER_URL)
    return f"{server.scheme}://{server.netloc}" if server.netloc else ""
