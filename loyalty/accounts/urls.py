"""The addresses of accounts. Those of the library that nobody needs are not here: nobody signs up by himself."""

from allauth.account import views as account
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from loyalty.accounts.invitations.pages import invitation_page, link_page
from loyalty.accounts.language import language_page
from loyalty.accounts.signing_in.single_sign_on import sign_in_page, signed_in_page
from loyalty.accounts.signing_in.views import (
    FollowedLinkView,
    SecondFactorsView,
    SecondFactorView,
    ask_for_link_page,
    sessions_page,
)

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="account_change_password")),
    path("login/", RedirectView.as_view(pattern_name="account_login", query_string=True)),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("password/change/", account.password_change, name="account_change_password"),
    # Who has none, because he signs in with a company's account, gets one as everybody does: by a link.
    path("password/set/", RedirectView.as_view(pattern_name="account_reset_password"), name="account_set_password"),
    path("password/reset/", ask_for_link_page, name="account_reset_password"),
    path("password/reset/done/", account.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        FollowedLinkView.as_view(),
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/key/done/",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    path("invitations/<int:store_id>/<str:secret>/", link_page, name="account_invitation_link"),
    path("invitation/", invitation_page, name="account_invitation"),
    path("2fa/authenticate/", SecondFactorView.as_view(), name="mfa_authenticate"),
    path("2fa/", SecondFactorsView.as_view(), name="mfa_index"),
    path("2fa/", include("allauth.mfa.urls")),
    path("language/", language_page, name="account_language"),
    path("sessions/", sessions_page, name="usersessions_list"),
    path("company/", include("allauth.socialaccount.urls")),
    path("oidc/<str:provider_id>/login/", sign_in_page, name="openid_connect_login"),
    path("oidc/<str:provider_id>/login/callback/", signed_in_page, name="openid_connect_callback"),
]
