"""The REST addresses of orders, reverts, rewards, redemptions and their codes."""

from django.urls import path

from orders.api.automation.holds import HoldView
from orders.api.backtests.cancels import BacktestView
from orders.api.backtests.rules import RulesBacktestView
from orders.api.balance_imports.imports import (
    BadRowListView,
    BalanceImportListView,
    BalanceImportView,
    PartListView,
    RehearsalView,
    StartView,
    TakeBackView,
)
from orders.api.customers.merges import MergeView
from orders.api.earned_points.awards import PointsView
from orders.api.orders.orders import DecisionsView, OrderListView, OrderView, TimelineView
from orders.api.redemptions.redemptions import (
    CodeView,
    RedemptionListView,
    RedemptionView,
    RequestReversalView,
    ReversalPreviewView,
    ReverseView,
)
from orders.api.redemptions.rewards import RewardListView, RewardView
from orders.api.reverts.cancels import BulkCancelView, CancelPreviewView, CancelView, ReturnView
from orders.api.reverts.dismissals import DismissView
from orders.api.reverts.reinstatements import ReinstateView
from orders.api.reverts.reverts import RevertListView, RevertView, UndoView

urlpatterns = [
    path("customers/<str:customer_id>/points/", PointsView.as_view(), name="api-adjust-points"),
    path("customers/<str:customer_id>/merge/", MergeView.as_view(), name="api-customer-merge"),
    path("orders/", OrderListView.as_view(), name="api-orders"),
    path("orders/bulk-cancel/", BulkCancelView.as_view(), name="api-order-bulk-cancel"),
    path("orders/<str:order_id>/", OrderView.as_view(), name="api-order"),
    path("orders/<str:order_id>/cancel/preview/", CancelPreviewView.as_view(), name="api-order-cancel-preview"),
    path("orders/<str:order_id>/cancel/", CancelView.as_view(), name="api-order-cancel"),
    path("orders/<str:order_id>/return/", ReturnView.as_view(), name="api-order-return"),
    path("orders/<str:order_id>/hold/", HoldView.as_view(), name="api-order-hold"),
    path("orders/<str:order_id>/reinstate/", ReinstateView.as_view(), name="api-order-reinstate"),
    path("orders/<str:order_id>/dismiss-revert/", DismissView.as_view(), name="api-order-dismiss-revert"),
    path("orders/<str:order_id>/timeline/", TimelineView.as_view(), name="api-order-timeline"),
    path("orders/<str:order_id>/decisions/", DecisionsView.as_view(), name="api-order-decisions"),
    path("reverts/", RevertListView.as_view(), name="api-reverts"),
    path("reverts/<str:revert_id>/", RevertView.as_view(), name="api-revert"),
    path("settings/spent-revert/backtest/", RulesBacktestView.as_view(), name="api-spent-revert-backtest"),
    path("reverts/<str:revert_id>/undo/", UndoView.as_view(), name="api-revert-undo"),
    path("settings/auto-cancel/backtest/", BacktestView.as_view(), name="api-auto-cancel-backtest"),
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
    path("balance-imports/", BalanceImportListView.as_view(), name="api-balance-imports"),
    path("balance-imports/<str:import_id>/", BalanceImportView.as_view(), name="api-balance-import"),
    path("balance-imports/<str:import_id>/parts/", PartListView.as_view(), name="api-balance-import-parts"),
    path("balance-imports/<str:import_id>/rehearsal/", RehearsalView.as_view(), name="api-balance-import-rehearsal"),
    path("balance-imports/<str:import_id>/start/", StartView.as_view(), name="api-balance-import-start"),
    path("balance-imports/<str:import_id>/bad-rows/", BadRowListView.as_view(), name="api-balance-import-bad-rows"),
    path("balance-imports/<str:import_id>/take-back/", TakeBackView.as_view(), name="api-balance-import-take-back"),
    path("discount-codes/<str:code>/", CodeView.as_view(), name="api-discount-code"),
]
