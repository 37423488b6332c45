"""The addresses of the REST API. What the apps add is named as a string: the foundation imports none of them."""

from django.urls import URLPattern, URLResolver, include, path, re_path

from loyalty.api.resources.balances import BalanceView
from loyalty.api.resources.customers import CustomersView, CustomerView, StoreView
from loyalty.api.resources.docs import DocsView, SchemaView
from loyalty.api.resources.logo import LogoView
from loyalty.api.resources.settings import SettingsVersionsView, SettingsView
from loyalty.api.resources.statements import StatementView
from loyalty.api.resources.webhooks import (
    DeliveriesView,
    EndpointReplayView,
    EndpointsView,
    EndpointView,
    ReplayView,
    RotateSecretView,
)
from loyalty.api.views import UnknownAddress

urlpatterns: list[URLPattern | URLResolver] = [
    path("schema/", SchemaView.as_view(), name="api-schema"),
    path("docs/", DocsView.as_view(), name="api-docs"),
    path("store/", StoreView.as_view(), name="api-store"),
    path("customers/", CustomersView.as_view(), name="api-customers"),
    path("customers/<str:customer_id>/", CustomerView.as_view(), name="api-customer"),
    path("settings/", SettingsView.as_view(), name="api-settings"),
    path("settings/logo/", LogoView.as_view(), name="api-settings-logo"),
    path("settings/versions/", SettingsVersionsView.as_view(), name="api-settings-versions"),
    path("customers/<str:customer_id>/balance/", BalanceView.as_view(), name="api-balance"),
    path("customers/<str:customer_id>/statement/", StatementView.as_view(), name="api-statement"),
    path("webhook-endpoints/", EndpointsView.as_view(), name="api-webhook-endpoints"),
    path("webhook-endpoints/<str:endpoint_id>/", EndpointView.as_view(), name="api-webhook-endpoint"),
    path(
        "webhook-endpoints/<str:endpoint_id>/rotate-secret/",
        RotateSecretView.as_view(),
        name="api-webhook-rotate-secret",
    ),
    path("webhook-endpoints/<str:endpoint_id>/deliveries/", DeliveriesView.as_view(), name="api-webhook-deliveries"),
    path(
        "webhook-endpoints/<str:endpoint_id>/deliveries/<str:delivery_id>/replay/",
        EndpointReplayView.as_view(),
        name="api-webhook-endpoint-replay",
    ),
    path("deliveries/<str:delivery_id>/replay/", ReplayView.as_view(), name="api-webhook-replay"),
    path("", include("credits.urls")),
    path("", include("points.urls")),
    path("", include("orders.urls")),
    re_path("", UnknownAddress.as_view()),
]
