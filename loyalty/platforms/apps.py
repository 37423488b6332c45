from django.apps import AppConfig
from django.utils.translation import gettext_lazy


class PlatformsConfig(AppConfig):
    name = "loyalty.platforms"
    label = "platforms"
    verbose_name = gettext_lazy("Platforms")
