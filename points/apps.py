from django.apps import AppConfig


class PointsConfig(AppConfig):
    name = "points"
    label = "points"
    verbose_name = "Member points"
