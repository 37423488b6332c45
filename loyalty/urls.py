"""Every address of the product."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from loyalty.health import healthz
from loyalty.platforms.receiving import receive

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("healthz", healthz),
    path("admin/", admin.site.urls),
    path("api/v1/", include("loyalty.api.urls")),
    # With or without its last slash: platforms follow no redirect.
    re_path(r"^hooks/(?P<platform>[a-z_]+)/(?P<slug>[-\w]+)/?$", receive, name="hooks"),
]
