from django.apps import AppConfig
from django.utils.translation import gettext_lazy


class PointsConfig(AppConfig):
    name = "points"
    label = "points"
    verbose_name = gettext_lazy("Member points")
