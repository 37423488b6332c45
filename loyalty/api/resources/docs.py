"""The API's schema and its readable docs, without a foreign host; nobody needs a key for them."""

from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView

from loyalty.api.requests.methods import KnownMethods


class SchemaView(KnownMethods, SpectacularJSONAPIView):
    """The schema, generated from the code."""


class DocsView(KnownMethods, SpectacularSwaggerSplitView):
    """The page that shows it."""

    url_name = "api-schema"
    template_name = "loyalty/api_docs.html"
