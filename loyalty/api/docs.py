"""The readable docs, without a foreign host."""

from typing import Any

from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response

from loyalty.security import HEADER, STRICT

# The docs page brings styles of its own inside the page; scripts come from files, as everywhere.
_POLICY = STRICT.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")


class DocsView(SpectacularSwaggerSplitView):
    """The API's docs, generated from its schema."""

    url_name = "api-schema"

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The page, or its script."""
        response: Response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]
        response.headers[HEADER] = _POLICY
        return response
