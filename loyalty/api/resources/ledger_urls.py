"""The REST addresses of what reads both ledgers."""

from django.urls import path

from loyalty.api.resources.balances import BalanceView
from loyalty.api.resources.statements import StatementView

urlpatterns = [
    path("customers/<str:customer_id>/balance/", BalanceView.as_view(), name="api-balance"),
    path("customers/<str:customer_id>/statement/", StatementView.as_view(), name="api-statement"),
]
