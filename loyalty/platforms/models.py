"""A store's connection to its shop platform."""

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import Q

from loyalty.encryption import EncryptedField, Secret
from loyalty.stores.scoping import StoreOwned, unique_in_store


class Platform(models.TextChoices):
    """The platforms a store may be connected to; :mod:`loyalty.platforms.registry` reads their orders."""

    SHOPIFY = "shopify", "Shopify"
    WOOCOMMERCE = "woocommerce", "WooCommerce"
    SHOPLINE = "shopline", "SHOPLINE"
    SHOPLINE_GLOBAL = "shopline_global", "SHOPLINE Global"


class WebhooksState(models.TextChoices):
    """What the platform said about its webhooks when it was last asked."""

    UNKNOWN = "unknown", "Not checked yet"
    WORKING = "working", "Registered"
    INCOMPLETE = "incomplete", "Missing or switched off"
    BY_HAND = "by_hand", "Set up by hand"


class PlatformConnection(StoreOwned):
    """One store's access to one platform: where it is, what opens it, and how it is doing.

    While ``enabled`` its webhooks are taken in. ``uninstalled_at`` says that the shop took our app away: the token is
    dead and nothing is asked of the platform, but its last messages (erasures among them) still arrive and count.
    """

    platform = models.CharField(max_length=20, choices=Platform.choices)
    base_url = models.URLField("shop address", max_length=300, blank=True)
    access_token = EncryptedField()
    consumer_key = EncryptedField()
    consumer_secret = EncryptedField()
    webhook_secret = EncryptedField()
    previous_webhook_secret = EncryptedField()
    previous_secret_until = models.DateTimeField(null=True, blank=True, editable=False)
    # The version of the platform's API that is spoken; empty for the one the client was written for.
    api_version = models.CharField("API version", max_length=20, blank=True)
    # WooCommerce has no order tags: they are read from this meta field.
    tag_meta_key = models.CharField("field that holds the tags", max_length=100, blank=True)
    # Every order that changed on the platform before this instant has been fetched; none yet without it.
    polled_to = models.DateTimeField(null=True, blank=True, editable=False)
    # The stretch of time that is being fetched, and how far into it the last page came.
    poll_since = models.DateTimeField(null=True, blank=True, editable=False)
    poll_until = models.DateTimeField(null=True, blank=True, editable=False)
    poll_cursor = models.TextField(blank=True, editable=False)
    # Which worker is at it, until when unless it says so again; when to try again after a failure, and which it is.
    poll_lease = models.UUIDField(null=True, blank=True, editable=False)
    poll_leased_until = models.DateTimeField(null=True, blank=True, editable=False)
    poll_not_before = models.DateTimeField(null=True, blank=True, editable=False)
    poll_failures = models.PositiveSmallIntegerField(default=0, editable=False)
    poll_error = models.TextField(blank=True, editable=False)
    enabled = models.BooleanField(default=True)
    uninstalled_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_delivery_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_checked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_error = models.TextField(blank=True, editable=False)
    webhooks = models.CharField(
        max_length=10, choices=WebhooksState.choices, default=WebhooksState.UNKNOWN, editable=False
    )
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)

    class Meta(StoreOwned.Meta):
        constraints: ClassVar = [
            unique_in_store("platform_connection_in_store"),
            models.UniqueConstraint(fields=["store", "platform"], name="platform_connection_once"),
            models.CheckConstraint(condition=Q(platform__in=Platform.values), name="platform_connection_is_known"),
        ]

    def __str__(self) -> str:
        return self.get_platform_display()

    @property
    def may_be_called(self) -> bool:
        """Whether there is something to call the platform with: an address and its credentials."""
        credentials = self.access_token or (self.consumer_key and self.consumer_secret)
        return bool(self.enabled and self.uninstalled_at is None and credentials)

    def webhook_secrets(self, now: datetime) -> list[Secret]:
        """The secrets a delivery may be signed with at ``now``: the present one, and for a time the one before."""
        previous = self.previous_secret_until is not None and now < self.previous_secret_until
        held = [self.webhook_secret, *([self.previous_webhook_secret] if previous else [])]
        return [secret for secret in held if secret]
