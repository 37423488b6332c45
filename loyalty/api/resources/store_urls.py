"""The REST addresses of the store and its customers."""

from django.urls import path

from loyalty.api.resources.customers import CustomersView, CustomerView, StoreView
from loyalty.api.resources.settings import SettingsVersionsView, SettingsView

urlpatterns = [
    path("store/", StoreView.as_view(), name="api-store"),
    path("customers/", CustomersView.as_view(), name="api-customers"),
    path("customers/<str:customer_id>/", CustomerView.as_view(), name="api-customer"),
    path("settings/", SettingsView.as_view(), name="api-settings"),
    path("settings/versions/", SettingsVersionsView.as_view(), name="api-settings-versions"),
]
