"""Notices to customers: written with the event, sent by the worker, readable for staff (H3)."""

from typing import ClassVar, Final

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy

from loyalty.database.retention import Kept, while_needed
from loyalty.database.rights import INSERT_ONLY, Rights
from loyalty.stores.scoping import SameStoreKey, StoreOwned, unique_in_store

_STAYS_AS_IT_WAS = """
IF (NEW.to_email, NEW.subject, NEW.text, NEW.html) = ('', 'Erased', '', '') THEN
    -- A person is erased: the address and the words go, the rest stays.
    OLD.to_email := '';
    OLD.subject := 'Erased';
    OLD.text := '';
    OLD.html := '';
END IF;
IF EXISTS (SELECT FROM stores_customer WHERE id = OLD.customer_id AND merged_into_id = NEW.customer_id) THEN
    OLD.customer_id := NEW.customer_id;
END IF;
IF NEW IS DISTINCT FROM OLD THEN
    RAISE EXCEPTION 'A notice that was sent stays as it was.' USING ERRCODE = 'restrict_violation';
END IF;
RETURN NEW;
"""


# What is left of a notice's address and words when a person is erased, or its time is over; the trigger says the same.
ERASED: Final = {"to_email": "", "subject": "Erased", "text": "", "html": ""}


class NoticeStatus(models.TextChoices):
    """How far a notice has come."""

    QUEUED = "queued", gettext_lazy("Waiting to be sent")
    SENT = "sent", gettext_lazy("Sent")
    FAILED = "failed", gettext_lazy("Could not be sent")
    WITHDRAWN = "withdrawn", gettext_lazy("Withdrawn, not sent")


class Notice(StoreOwned):
    """One message to one customer, whole as it is sent; from then on it says for ever what was sent.

    A person who is erased is taken out of it, one who is merged takes it along. ``message_id`` lets a mail
    server drop a repeat.
    """

    customer = SameStoreKey("stores.Customer")
    order = SameStoreKey("orders.Order", null=True, blank=True)
    to_email = models.EmailField(max_length=254)
    subject = models.CharField(max_length=200)
    text = models.TextField()
    html = models.TextField()
    language = models.CharField(max_length=20, blank=True, default="", db_default="")
    # Which kind of letter; empty for those of before.
    about = models.CharField(max_length=20, blank=True, default="", db_default="")
    message_id = models.CharField(max_length=200, unique=True)
    status = models.CharField(max_length=10, choices=NoticeStatus.choices, default=NoticeStatus.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)

    # How far it has come; its words and its customer as the trigger allows.
    rights = Rights(
        changes=(
            "customer",
            *("status", "attempts", "next_attempt_at", "last_error", "sent_at"),
            *("to_email", "subject", "text", "html"),
        )
    )
    retention = Kept(
        days=1095,
        least=30,
        unless=Q(status=NoticeStatus.QUEUED),
        emptied=ERASED,
        why="what customers were told can be shown for three years; that they were told, for ever",
    )

    class Meta(StoreOwned.Meta):
        constraints: ClassVar = [
            unique_in_store("notice_in_store"),
            models.CheckConstraint(
                condition=Q(status=NoticeStatus.SENT, sent_at__isnull=False)
                | (~Q(status=NoticeStatus.SENT) & Q(sent_at__isnull=True)),
                name="notice_sent_means_sent_at",
            ),
            models.CheckConstraint(
                condition=~Q(status=NoticeStatus.QUEUED) | Q(next_attempt_at__isnull=False),
                name="notice_queued_has_its_turn",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                "store", "next_attempt_at", "id", condition=Q(status=NoticeStatus.QUEUED), name="notice_due_of_store"
            ),
            models.Index("order", condition=Q(order__isnull=False), name="notice_of_order"),
            models.Index("customer", models.F("id").desc(), name="notice_of_customer"),
        ]
        triggers: ClassVar = [
            pgtrigger.Trigger(
                name="sent_stays",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                condition=pgtrigger.Q(old__status=NoticeStatus.SENT),
                func=_STAYS_AS_IT_WAS,
            )
        ]

    def __str__(self) -> str:
        return self.subject


class Reminder(StoreOwned):
    """That a customer was told of one lot before it expires: one row a lot, so that nobody is told twice. Insert-only.

    Which kind's lot it is, the filled one of the two references says.
    """

    customer = SameStoreKey("stores.Customer")
    notice = SameStoreKey(Notice)
    credit_lot = SameStoreKey("credits.CreditLot", null=True, blank=True, db_index=False)
    point_lot = SameStoreKey("points.PointLot", null=True, blank=True, db_index=False)
    created_at = models.DateTimeField()

    rights = INSERT_ONLY
    retention = while_needed("as long as its lot: nobody is told twice")

    class Meta(StoreOwned.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["credit_lot"], name="reminder_once_for_credits"),
            models.UniqueConstraint(fields=["point_lot"], name="reminder_once_for_points"),
            models.CheckConstraint(
                condition=Q(credit_lot__isnull=False, point_lot__isnull=True)
                | Q(credit_lot__isnull=True, point_lot__isnull=False),
                name="reminder_is_about_one_lot",
            ),
        ]
        triggers: ClassVar = [pgtrigger.Protect(name="insert_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"Reminder {self.pk}"
