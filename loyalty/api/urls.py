"""The addresses of the REST API. What the apps add is named as a string: the foundation imports none of them."""

from django.urls import include, path, re_path

from loyalty.api.resources.docs import DocsView, SchemaView
from loyalty.api.views import UnknownAddress

urlpatterns = [
    path("schema/", SchemaView.as_view(), name="api-schema"),
    path("docs/", DocsView.as_view(), name="api-docs"),
    path("", include("loyalty.api.resources.store_urls")),
    path("", include("loyalty.api.resources.ledger_urls")),
    path("", include("loyalty.api.resources.webhook_urls")),
    path("", include("credits.urls")),
    path("", include("points.urls")),
    path("", include("orders.urls")),
    path("", include("orders.api.redemptions.urls")),
    re_path("", UnknownAddress.as_view()),
]
