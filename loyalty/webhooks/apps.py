from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "loyalty.webhooks"
    label = "webhooks"
    verbose_name = "Webhooks"
