from django.apps import AppConfig


class NoticesConfig(AppConfig):
    name = "loyalty.notices"
    label = "notices"
    verbose_name = "Notices"
