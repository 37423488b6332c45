from django.apps import AppConfig


class PlatformsConfig(AppConfig):
    name = "loyalty.platforms"
    label = "platforms"
    verbose_name = "Platforms"
