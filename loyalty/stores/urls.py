"""The REST addresses of the store and its customers."""

from django.urls import path

from loyalty.stores.api import StoreView

urlpatterns = [
    path("store/", StoreView.as_view(), name="api-store"),
]
