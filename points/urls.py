"""The REST addresses of points."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
