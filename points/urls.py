"""The REST addresses of member points."""

from django.urls import path

from points.api import PointLotsView, PointMovementsView, StorePointLotsView

urlpatterns = [
    path("point-lots/", StorePointLotsView.as_view(), name="api-store-point-lots"),
    path("customers/<str:customer_id>/point-lots/", PointLotsView.as_view(), name="api-point-lots"),
    path("customers/<str:customer_id>/point-movements/", PointMovementsView.as_view(), name="api-point-movements"),
]
