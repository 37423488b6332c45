"""The accounts' application."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy


class AccountsConfig(AppConfig):
    name = "loyalty.accounts"
    verbose_name = gettext_lazy("Accounts")
