from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class BackOfficeConfig(AdminConfig):
    default_site = "loyalty.backoffice.site.StoreSite"


class PagesConfig(AppConfig):
    name = "loyalty.backoffice"
    label = "backoffice"
    menu = "loyalty.backoffice.pages.menu.ENTRIES"
