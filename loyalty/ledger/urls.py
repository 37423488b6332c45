"""The REST address of what reads both ledgers."""

from django.urls import path

from loyalty.ledger.balance_api import BalanceView

urlpatterns = [
    path("customers/<str:customer_id>/balance/", BalanceView.as_view(), name="api-balance"),
]
