"""A store's connections to shop platforms, what they sent, and what they asked about people's data."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy

from loyalty.core.encryption import EncryptedField
from loyalty.database.retention import Kept, for_ever
from loyalty.database.rights import Rights
from loyalty.stores.scoping import SameStoreKey, StoreOwned, unique_in_store


class Platform(models.TextChoices):
    """The platforms a store may be connected to; :mod:`loyalty.platforms.registry` reads their orders."""

    SHOPIFY = "shopify", "Shopify"
    WOOCOMMERCE = "woocommerce", "WooCommerce"
    SHOPLINE = "shopline", gettext_lazy("SHOPLINE")
    SHOPLINE_GLOBAL = "shopline_global", gettext_lazy("SHOPLINE Global")


class WebhooksState(models.TextChoices):
    """What the platform said about its webhooks when it was last asked."""

    UNKNOWN = "unknown", gettext_lazy("Not checked yet")
    WORKING = "working", gettext_lazy("Registered")
    INCOMPLETE = "incomplete", gettext_lazy("Missing or switched off")
    BY_HAND = "by_hand", gettext_lazy("Set up by hand")


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
    api_version = models.CharField(gettext_lazy("API version"), max_length=20, blank=True)
    # WooCommerce has no order tags: they are read from this meta field.
    tag_meta_key = models.CharField("field that holds the tags", max_length=100, blank=True)
    # Whose shop it is in the platform's signed messages, where an app's secret is the same for many (SHOPLINE in Asia):
    # as the platform said when it was asked.
    merchant_id = models.CharField(max_length=64, blank=True, default="", db_default="", editable=False)
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
    # What the platform answered when it was last asked for staff, in a sentence; and why it did not.
    last_answer = models.TextField(blank=True, editable=False, db_default="")
    last_error = models.TextField(blank=True, editable=False)
    webhooks = models.CharField(
        max_length=10, choices=WebhooksState.choices, default=WebhooksState.UNKNOWN, editable=False
    )
    # Where the webhooks were registered to go, and when they were last found or made so.
    webhook_address = models.CharField(max_length=500, blank=True, editable=False)
    webhooks_checked_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)

    rights = Rights(all_but=("platform", "created_at"))
    retention = for_ever("few: a store has one for each platform")

    class Meta(StoreOwned.Meta):
        verbose_name = gettext_lazy("platform connection")
        verbose_name_plural = gettext_lazy("platform connections")
        constraints: ClassVar = [
            unique_in_store("platform_connection_in_store"),
            models.UniqueConstraint(fields=["store", "platform"], name="platform_connection_once"),
            models.CheckConstraint(condition=Q(platform__in=Platform.values), name="platform_connection_is_known"),
        ]

    def __str__(self) -> str:
        return self.get_platform_display()

    @property
    def has_credentials(self) -> bool:
        """Whether there is something that opens the platform."""
        return bool(self.access_token or (self.consumer_key and self.consumer_secret))

    @property
    def may_be_called(self) -> bool:
        """Whether there is something to call the platform with, and nothing speaks against it."""
        return self.enabled and self.uninstalled_at is None and self.has_credentials


class DeliveryState(models.TextChoices):
    """How far a delivery has come."""

    WAITING = "waiting", gettext_lazy("Waiting")
    RETRYING = "retrying", gettext_lazy("Failed, is tried again")
    DONE = "done", gettext_lazy("Done")
    IGNORED = "ignored", gettext_lazy("Nothing to do")
    FAILED = "failed", gettext_lazy("Failed")


# A worker has something to do with these.
OPEN_STATES = (DeliveryState.WAITING, DeliveryState.RETRYING)
# Staff should look at these.
FAILING_STATES = (DeliveryState.RETRYING, DeliveryState.FAILED)


class InboundDelivery(StoreOwned):
    """One signed message of a platform, as it came. ``key`` tells a repeat: each counts once per store and platform.

    ``body`` is empty once a person's data was erased from it (``redacted_at``).
    """

    platform = models.CharField(max_length=20, choices=Platform.choices)
    topic = models.CharField(max_length=100)
    key = models.CharField(max_length=200)
    is_test = models.BooleanField("test", default=False)
    headers = models.JSONField(default=dict)
    body = models.BinaryField()
    received_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=DeliveryState.choices, default=DeliveryState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    # What came of it, in a sentence; what of it could not be read (O10); and why it did not work the last time.
    left_out = ArrayField(models.CharField(max_length=100), default=list, blank=True, db_default=[])
    outcome = models.CharField(max_length=300, blank=True)
    last_error = models.TextField(blank=True)
    processed_at = models.DateTimeField(null=True, blank=True)
    external_id = models.CharField(max_length=100, blank=True)
    order = SameStoreKey("orders.Order", null=True, blank=True)
    redacted_at = models.DateTimeField(null=True, blank=True)

    rights = Rights(
        changes=(
            *("state", "attempts", "next_attempt_at", "outcome", "last_error", "processed_at"),
            *("left_out", "order", "external_id", "is_test"),
            # Emptied when a person is erased.
            *("body", "redacted_at"),
        ),
        deletes=True,
    )
    retention = Kept(
        days=30,
        least=7,
        since="received_at",
        unless="loyalty.platforms.recognise.STAYS",
        why="longer than any platform repeats a delivery; they hold personal data",
    )

    class Meta(StoreOwned.Meta):
        verbose_name = gettext_lazy("webhook delivery")
        verbose_name_plural = gettext_lazy("webhook deliveries")
        constraints: ClassVar = [
            unique_in_store("inbound_delivery_in_store"),
            models.UniqueConstraint(fields=["store", "platform", "key"], name="inbound_delivery_once"),
            models.CheckConstraint(condition=Q(state__in=DeliveryState.values), name="inbound_delivery_state_is_known"),
            models.CheckConstraint(
                condition=Q(state__in=OPEN_STATES, next_attempt_at__isnull=False)
                | (~Q(state__in=OPEN_STATES) & Q(next_attempt_at__isnull=True)),
                name="inbound_delivery_open_has_its_turn",
            ),
        ]
        indexes: ClassVar = [
            # Whose turn it is goes from store to store, so that one shop's flood holds up no other.
            models.Index(
                "store",
                "platform",
                "next_attempt_at",
                "id",
                condition=Q(next_attempt_at__isnull=False),
                name="inbound_delivery_turns",
            ),
            models.Index(
                "store",
                models.F("id").desc(),
                condition=Q(state__in=FAILING_STATES),
                name="inbound_delivery_failing",
            ),
            models.Index(
                "store", models.F("id").desc(), condition=~Q(left_out=[]), name="inbound_delivery_not_in_full"
            ),
            models.Index("order", condition=Q(order__isnull=False), name="inbound_delivery_of_order"),
            models.Index("received_at", name="inbound_delivery_oldest"),
            # Whether a message was sent to another store before.
            models.Index("key", condition=Q(platform=Platform.SHOPLINE), name="inbound_delivery_sent_again"),
        ]

    def __str__(self) -> str:
        return self.topic


class PrivacyKind(models.TextChoices):
    """What a platform asks about people's data."""

    DATA = "data", gettext_lazy("Customer asks for their data")
    ERASE_CUSTOMER = "erase_customer", gettext_lazy("Erase a customer")
    ERASE_SHOP = "erase_shop", gettext_lazy("Erase the shop's customers")


class PrivacyRequest(StoreOwned):
    """A privacy request of a platform, which waits for staff: erasing cannot be taken back, and topics are not signed.

    ``customer`` is nobody when this store does not know the person. ``facts`` holds counts and the platform's numbers
    of orders, no personal data; whom else an erasure means stands in its delivery, by ``key``, until it is done.
    """

    platform = models.CharField(max_length=20, choices=Platform.choices)
    kind = models.CharField(max_length=20, choices=PrivacyKind.choices)
    key = models.CharField(max_length=200)
    customer = SameStoreKey("stores.Customer", null=True, blank=True)
    facts = models.JSONField(default=dict)
    received_at = models.DateTimeField()
    # Who said that it is to be carried out; the job does it then.
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.CharField(max_length=100, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.CharField(max_length=100, blank=True)

    rights = Rights(changes=("customer", "facts", "confirmed_at", "confirmed_by", "done_at", "done_by"))
    retention = for_ever("the proof that a request was answered; it holds no words of a person that was erased")

    class Meta(StoreOwned.Meta):
        verbose_name = gettext_lazy("privacy request")
        verbose_name_plural = gettext_lazy("privacy requests")
        constraints: ClassVar = [
            unique_in_store("privacy_request_in_store"),
            models.UniqueConstraint(fields=["store", "platform", "key"], name="privacy_request_once"),
        ]
        indexes: ClassVar = [
            models.Index(
                "store",
                "id",
                condition=Q(done_at__isnull=True, confirmed_at__isnull=True),
                name="privacy_request_waits",
            ),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()
