"""Webhook endpoints, and what came of each attempt to tell them something."""

from datetime import datetime
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy

from loyalty.core.encryption import EncryptedField, Secret
from loyalty.database.retention import for_ever, while_needed
from loyalty.database.rights import Rights
from loyalty.outbox.models import Message
from loyalty.stores.scoping import SameStoreKey, StoreOwned, unique_in_store


class DisabledBecause(models.TextChoices):
    """Why an endpoint is told nothing any more."""

    PERSON = "person", gettext_lazy("Switched off by hand")
    FAILING = "failing", gettext_lazy("Switched off: it failed for five days")
    GONE = "gone", gettext_lazy("Switched off: it answered that it is gone (410)")


class WebhookEndpoint(StoreOwned):
    """An address that a store wants told of chosen events.

    While it is failing, ``failing_since`` says since when and ``paused_until`` when the next attempt is. For a time
    after a change of the secret, everything is signed with both. A deleted one is kept for its deliveries.
    """

    url = models.URLField("address", max_length=500)
    description = models.CharField(max_length=100, blank=True)
    events = ArrayField(models.CharField(max_length=50))
    secret = EncryptedField()
    previous_secret = EncryptedField()
    previous_secret_until = models.DateTimeField(null=True, blank=True)
    disabled_at = models.DateTimeField(null=True, blank=True)
    disabled_because = models.CharField(max_length=10, choices=DisabledBecause.choices, blank=True)
    failures = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True, blank=True)
    paused_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True, blank=True)

    rights = Rights(all_but=("created_at",))
    retention = for_ever("few: a store has one for each receiver")

    class Meta(StoreOwned.Meta):
        verbose_name = gettext_lazy("webhook endpoint")
        verbose_name_plural = gettext_lazy("webhook endpoints")
        constraints: ClassVar = [
            unique_in_store("webhook_endpoint_in_store"),
            models.CheckConstraint(
                condition=Q(disabled_at__isnull=True, disabled_because="")
                | Q(disabled_at__isnull=False, disabled_because__in=DisabledBecause.values),
                name="webhook_endpoint_disabled_why",
            ),
            models.CheckConstraint(
                condition=Q(failures=0, failing_since__isnull=True) | Q(failures__gt=0, failing_since__isnull=False),
                name="webhook_endpoint_failing_since",
            ),
            # Nothing is told to an endpoint that was deleted.
            models.CheckConstraint(
                condition=Q(deleted_at__isnull=True) | Q(disabled_at__isnull=False),
                name="webhook_endpoint_deleted_is_off",
            ),
        ]

    def __str__(self) -> str:
        return self.description or self.url

    @property
    def enabled(self) -> bool:
        """Whether it is told anything."""
        return self.disabled_at is None

    @property
    def lane(self) -> str:
        """Which messages of the outbox go to this endpoint."""
        return lane_of(self.pk)

    def secrets(self, now: datetime) -> list[Secret]:
        """What a delivery is signed with at ``now``: the present secret, and for a time the one before."""
        previous = self.previous_secret_until is not None and now < self.previous_secret_until
        held = [self.secret, *([self.previous_secret] if previous else [])]
        return [secret for secret in held if secret]


def lane_of(endpoint_id: int) -> str:
    """The lane of an endpoint; the statement that fans events out writes the same."""
    return f"endpoint:{endpoint_id}"


class WebhookDelivery(Message):
    """A message of the outbox that goes to an endpoint, as pages list it."""

    class Meta(Message.Meta):
        proxy = True
        verbose_name = gettext_lazy("webhook delivery")
        verbose_name_plural = gettext_lazy("webhook deliveries")
        constraints: ClassVar = []
        indexes: ClassVar = []

    def __str__(self) -> str:
        return f"msg_{self.pk}"


class WebhookAttempt(StoreOwned):
    """One call of one endpoint: what it answered, or why there was no answer."""

    message = SameStoreKey(Message, on_delete=models.CASCADE, related_name="webhook_attempts")
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)
    answer = models.TextField(blank=True)
    milliseconds = models.PositiveIntegerField()
    created_at = models.DateTimeField()

    rights = Rights(deletes=True)
    retention = while_needed("as long as its message, with which it is deleted")

    class Meta(StoreOwned.Meta):
        indexes: ClassVar = [models.Index("message", "id", name="webhook_attempt_of_message")]

    def __str__(self) -> str:
        return f"{self.status_code or 'no answer'}"
