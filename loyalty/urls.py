"""Every address of the product."""

from django.urls import include, path, re_path
from django.views.generic import RedirectView

from loyalty.accounts.signing_in.views import SignInView
from loyalty.backoffice.site import platform_site
from loyalty.notices.reminders_page import reminders_page
from loyalty.platforms.webhooks.receive import receive

handler500 = "loyalty.backoffice.unavailable.failed"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    # Before the admin's own page at the same address.
    path("admin/login/", SignInView.as_view(), name="account_login"),
    # Pages of a store stand behind its slug: loyalty.backoffice.store_urls.
    path("admin/", platform_site.urls),
    path("accounts/", include("loyalty.accounts.urls")),
    path("api/v1/", include("loyalty.api.urls")),
    # In letters: good for ever, and changes nothing when it is looked at.
    path("reminders/<str:token>", reminders_page, name="reminders"),
    # With or without its last slash: platforms follow no redirect.
    re_path(r"^hooks/(?P<platform>[a-z_]+)/(?P<slug>[-\w]+)/?$", receive, name="hooks"),
]
