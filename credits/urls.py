"""The REST addresses of store credits."""

from django.urls import path

from credits.api import AdjustCreditsView, CreditLotsView, CreditMovementsView, StoreCreditLotsView

urlpatterns = [
    path("credit-lots/", StoreCreditLotsView.as_view(), name="api-store-credit-lots"),
    path("customers/<str:customer_id>/credit-lots/", CreditLotsView.as_view(), name="api-credit-lots"),
    path("customers/<str:customer_id>/credit-movements/", CreditMovementsView.as_view(), name="api-credit-movements"),
    path("customers/<str:customer_id>/credits/", AdjustCreditsView.as_view(), name="api-adjust-credits"),
]
