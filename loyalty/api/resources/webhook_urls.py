"""The REST addresses of webhook endpoints and deliveries."""

from django.urls import path

from loyalty.api.resources.webhooks import (
    DeliveriesView,
    EndpointReplayView,
    EndpointsView,
    EndpointView,
    ReplayView,
    RotateSecretView,
)

_ONE = "webhook-endpoints/<str:endpoint_id>/"

urlpatterns = [
    path("webhook-endpoints/", EndpointsView.as_view(), name="api-webhook-endpoints"),
    path(_ONE, EndpointView.as_view(), name="api-webhook-endpoint"),
    path(f"{_ONE}rotate-secret/", RotateSecretView.as_view(), name="api-webhook-rotate-secret"),
    path(f"{_ONE}deliveries/", DeliveriesView.as_view(), name="api-webhook-deliveries"),
    path(
        f"{_ONE}deliveries/<str:delivery_id>/replay/",
        EndpointReplayView.as_view(),
        name="api-webhook-endpoint-replay",
    ),
    path("deliveries/<str:delivery_id>/replay/", ReplayView.as_view(), name="api-webhook-replay"),
]
