"""The REST addresses of rewards, redemptions and their codes."""

from django.urls import path

from orders.api.redemptions.redemptions import (
    CodeView,
    RedemptionListView,
    RedemptionView,
    RequestReversalView,
    ReversalPreviewView,
    ReverseView,
)
from orders.api.redemptions.rewards import RewardListView, RewardView

urlpatterns = [
    path("rewards/", RewardListView.as_view(), name="api-rewards"),
    path("rewards/<str:reward_id>/", RewardView.as_view(), name="api-reward"),
    path("redemptions/", RedemptionListView.as_view(), name="api-redemptions"),
    path("redemptions/<str:redemption_id>/", RedemptionView.as_view(), name="api-redemption"),
    path(
        "redemptions/<str:redemption_id>/reverse/preview/", ReversalPreviewView.as_view(), name="api-reversal-preview"
    ),
    path("redemptions/<str:redemption_id>/reverse/", ReverseView.as_view(), name="api-redemption-reverse"),
    path(
        "redemptions/<str:redemption_id>/request-reversal/", RequestReversalView.as_view(), name="api-request-reversal"
    ),
    path("discount-codes/<str:code>/", CodeView.as_view(), name="api-discount-code"),
]
