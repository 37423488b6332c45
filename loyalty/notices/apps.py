from django.apps import AppConfig
from django.utils.translation import gettext_lazy


class NoticesConfig(AppConfig):
    name = "loyalty.notices"
    label = "notices"
    verbose_name = gettext_lazy("Notices")
