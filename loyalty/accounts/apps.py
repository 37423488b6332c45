"""The accounts' application."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "loyalty.accounts"
    verbose_name = "Accounts"
