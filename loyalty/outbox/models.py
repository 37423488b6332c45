"""The outbox: one row for each thing that has to be done outside this database."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy

from loyalty.database.retention import Kept
from loyalty.database.rights import Rights
from loyalty.stores.scoping import SameStoreKey, StoreOwned, unique_in_store


class MessageStatus(models.TextChoices):
    """How far a message has come."""

    QUEUED = "queued", gettext_lazy("Waiting")
    DONE = "done", gettext_lazy("Done")
    FAILED = "failed", gettext_lazy("Given up")


class Message(StoreOwned):
    """One thing to be done outside; ``topic`` says by whom, ``body`` what, without personal data.

    ``lane`` names where it goes when many messages go to one place, such as one webhook endpoint. While a worker is at
    it, ``next_attempt_at`` is the end of its lease: a worker that is killed keeps nobody from trying again.
    """

    topic = models.CharField(max_length=50)
    key = models.CharField(max_length=200)
    lane = models.CharField(max_length=50, blank=True)
    order = SameStoreKey("orders.Order", null=True, blank=True)
    body = models.JSONField(default=dict)
    status = models.CharField(max_length=10, choices=MessageStatus.choices, default=MessageStatus.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)
    created_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)

    rights = Rights(changes=("status", "attempts", "next_attempt_at", "last_error", "done_at"), deletes=True)
    retention = Kept(
        days=30,
        least=7,
        unless=Q(status=MessageStatus.QUEUED),
        why="what was sent can be looked at, and webhooks sent again, for thirty days",
    )

    class Meta(StoreOwned.Meta):
        verbose_name = gettext_lazy("outgoing message")
        verbose_name_plural = gettext_lazy("outgoing messages")
        constraints: ClassVar = [
            unique_in_store("message_in_store"),
            models.UniqueConstraint(fields=["store", "key"], name="message_key_once"),
            models.CheckConstraint(
                condition=Q(status=MessageStatus.DONE, done_at__isnull=False)
                | (~Q(status=MessageStatus.DONE) & Q(done_at__isnull=True)),
                name="message_done_means_done_at",
            ),
            models.CheckConstraint(
                condition=Q(status=MessageStatus.QUEUED, next_attempt_at__isnull=False)
                | (~Q(status=MessageStatus.QUEUED) & Q(next_attempt_at__isnull=True)),
                name="message_queued_has_its_turn",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                "store", "next_attempt_at", "id", condition=Q(status=MessageStatus.QUEUED), name="message_due_of_store"
            ),
            models.Index("order", condition=Q(order__isnull=False), name="message_of_order"),
            models.Index("store", "lane", models.F("id").desc(), name="message_of_lane"),
            models.Index("created_at", condition=~Q(status=MessageStatus.QUEUED), name="message_to_prune"),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.key}"
