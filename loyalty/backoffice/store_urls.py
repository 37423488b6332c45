"""The addresses behind ``/admin/<store's slug>``; the middleware leads here."""

from django.contrib import admin
from django.urls import path

urlpatterns = [path("", admin.site.urls)]
