"""The API's schema and its readable docs, without a foreign host; nobody needs a key for them."""

from functools import cache
from typing import Any, Final

from django.http import HttpResponse
from django.utils.translation import get_language, override
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView

from loyalty.api.requests.methods import KnownMethods
from loyalty.languages.spoken import SOURCE

_INLINE: Final = {"Content-Disposition": 'inline; filename="Loyalty Back-Office.json"'}


@cache
def _schema(language: str) -> bytes:
    """The schema in one of the languages: a megabyte that takes a second to make and is the code's, nobody else's."""
    with override(language):
        described = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
        rendered: bytes = OpenApiJsonRenderer().render(described)
        return rendered


class SchemaView(KnownMethods, SpectacularJSONAPIView):
    """The schema, generated from the code when it is first asked for in a language."""

    schema = None

    def get(self, *_args: Any, **_kwargs: Any) -> HttpResponse:
        """What is kept; anybody may ask for it any number of times."""
        kept = _schema(get_language() or SOURCE)
        return HttpResponse(kept, content_type=OpenApiJsonRenderer.media_type, headers=_INLINE)


class DocsView(KnownMethods, SpectacularSwaggerSplitView):
    """The page that shows it."""

    url_name = "api-schema"
    template_name = "loyalty/api_docs.html"
