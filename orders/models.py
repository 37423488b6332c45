"""Orders and the reverts of what they used (O1-O6)."""

from decimal import Decimal
from typing import Any, ClassVar

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Coalesce

from credits.models import currency, money
from loyalty.stores.actors import Trigger
from loyalty.stores.scoping import SameStoreKey, StoreOwned, unique_in_store
from orders.bulk_models import BulkCancel as BulkCancel
from orders.bulk_models import BulkItem as BulkItem
from orders.desk_models import Look as Look
from orders.desk_models import RevertUndo as RevertUndo
from orders.redemption_models import CodeUse as CodeUse
from orders.redemption_models import Redemption as Redemption
from orders.redemption_models import ReversalRequest as ReversalRequest
from orders.redemption_models import Reward as Reward
from orders.view_models import SavedView as SavedView


class OrderStatus(models.TextChoices):
    """O1."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class PaymentStatus(models.TextChoices):
    """O1."""

    PENDING = "pending"
    PAID = "paid"
    FAILED = "failed"
    EXPIRED = "expired"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"


class RevertStatus(models.TextChoices):
    """A kind's revert status (O3); the words on screen are fixed."""

    REVERTED = "reverted", "Reverted"
    NOT_REVERTED = "not_reverted", "Not Reverted"


class Completeness(models.TextChoices):
    """Whether all that was used of every kind is back."""

    FULL = "full"
    PARTIAL = "partial"


class CancelReason(models.TextChoices):
    """Why an order was cancelled by hand (M5)."""

    CUSTOMER = "customer", "Customer asked for it"
    OUT_OF_STOCK = "out_of_stock", "Out of stock"
    PAYMENT = "payment", "Payment problem"
    FRAUD = "fraud", "Suspected fraud"
    DUPLICATE = "duplicate", "Duplicate order"
    OTHER = "other", "Other"


class PersonsDecision(models.TextChoices):
    """What somebody decided about the part of a kind that is not back (N4, B2)."""

    NONE = "", "Nothing decided"
    DEFERRED = "deferred", "Left for later"
    DECLINED = "declined", "Declined"
    EXPIRED_LEFT = "expired_left", "Expired, not extended"
    DISMISSED = "dismissed", "Dismissed"


UNDECIDED = (PersonsDecision.NONE, PersonsDecision.DEFERRED)
# Since when an order of the queue waits: since it fell through, by whichever way (B2).
WAITING_SINCE = Coalesce("cancelled_at", "payment_changed_at", "placed_at")

# The order fell through: what O3 calls cancelled or refunded; partially refunded does not count.
FELL_THROUGH = Q(status=OrderStatus.CANCELLED) | Q(payment_status=PaymentStatus.REFUNDED)


def _revert_status(kind: str) -> "models.GeneratedField":
    not_back = FELL_THROUGH & Q(**{f"{kind}_applied__gt": 0})
    return models.GeneratedField(
        expression=Case(
            When(**{f"{kind}_reverted__gt": 0}, then=Value(RevertStatus.REVERTED.value)),
            When(not_back, then=Value(RevertStatus.NOT_REVERTED.value)),
            default=None,
        ),
        output_field=models.CharField(max_length=12, choices=RevertStatus.choices, null=True),
        db_persist=True,
    )


def _open(kind: str) -> Q:
    return Q(**{f"{kind}_reverted__lt": F(f"{kind}_applied"), f"{kind}_decision__in": UNDECIDED})


def decided_as(decision: str) -> Q:
    """Orders with this decision on either kind (N4)."""
    return Q(credits_decision=decision) | Q(points_decision=decision)


def _within(kind: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=Q(**{f"{kind}_reverted__gte": 0, f"{kind}_reverted__lte": F(f"{kind}_applied")}),
        name=f"order_{kind}_returned_within",
    )


# What keeps an order that staff brought back from being cancelled again at once: its payment has not changed since.
_NOT_JUDGED = Q(reinstated_at__isnull=True) | Q(payment_changed_at__gt=F("reinstated_at"))


def cancellable(**payment: Any) -> Q:
    """Orders that may be cancelled automatically, as far as their payment is as ``payment`` says (E9).

    A condition on the payment that is there twice would have the database expect far fewer orders than there are.
    """
    return _NOT_JUDGED & Q(
        status__in=(OrderStatus.PENDING, OrderStatus.CONFIRMED),
        held_at__isnull=True,
        arrived_late=False,
        is_test=False,
        **payment,
    )


AUTO_CANCELLABLE = cancellable(payment_status__in=(PaymentStatus.EXPIRED, PaymentStatus.FAILED))
# A payment that arrived after an automatic cancel, and nobody has decided what becomes of it (E6).
PAID_AFTER_CANCELLATION = Q(
    status=OrderStatus.CANCELLED,
    cancelled_by__in=(Trigger.PAYMENT_EXPIRED.value, Trigger.PAYMENT_FAILED.value),
    payment_status__in=(PaymentStatus.PAID, PaymentStatus.PARTIALLY_REFUNDED),
    refund_marked_at__isnull=True,
)
# Cancelled here, and the platform said last that it is open there (O6).
OPEN_ON_PLATFORM = Q(status=OrderStatus.CANCELLED, platform_data__is_open=True)
# The others. Not its negation: for the database an order of which nothing was said would be neither.
NOT_OPEN_ON_PLATFORM = (
    ~Q(status=OrderStatus.CANCELLED) | Q(platform_data__is_open=False) | ~Q(platform_data__has_key="is_open")
)
UNPAID = Q(payment_status=PaymentStatus.PENDING) & ~Q(status=OrderStatus.CANCELLED)


class Order(StoreOwned):
    """One order of one store, with what it used of each kind and how much of that is back.

    The revert statuses, ``completeness``, ``needs_revert`` and ``paid_after_cancellation`` are generated by the
    database from facts on the row, so that no code path can set them (O3). ``tag_keys`` are the tags trimmed and
    case-folded, for matching (N3).
    """

    number = models.CharField(max_length=100)
    external_id = models.CharField(max_length=100, null=True, blank=True)
    platform = models.CharField(max_length=20, default="api")
    # The platform's id of the order that this one was split from.
    parent_external_id = models.CharField(max_length=100, blank=True, default="")
    customer = SameStoreKey("stores.Customer", null=True, blank=True)
    status = models.CharField(max_length=10, choices=OrderStatus.choices, default=OrderStatus.PENDING)
    payment_status = models.CharField(max_length=20, choices=PaymentStatus.choices, default=PaymentStatus.PENDING)
    payment_due_at = models.DateTimeField(null=True, blank=True)
    payment_changed_at = models.DateTimeField(null=True, blank=True)
    placed_at = models.DateTimeField()
    currency = currency()
    total = money()
    refunded_total = money(default=Decimal(0))
    tags = ArrayField(models.CharField(max_length=255), default=list, blank=True)
    tag_keys = ArrayField(models.CharField(max_length=255), default=list, blank=True, editable=False)
    lines = models.JSONField(default=list, blank=True)
    # What the platform last said in its own words, and when; used there means not in this ledger (O5).
    platform_data = models.JSONField(default=dict, blank=True)
    platform_updated_at = models.DateTimeField(null=True, blank=True)
    # Paid through a test gateway: shown as such, and no automation acts on it.
    is_test = models.BooleanField(default=False)
    # What keeps automatic cancelling away: staff hold it, or it arrived long after its payment fell through (E9).
    held_at = models.DateTimeField(null=True, blank=True)
    arrived_late = models.BooleanField(default=False)
    # When staff last brought the order back (M10); when they kept it cancelled, its late payment to be refunded (E6).
    reinstated_at = models.DateTimeField(null=True, blank=True)
    refund_marked_at = models.DateTimeField(null=True, blank=True)
    # When the spent-revert rules look at the order (None: nothing to look at), and what changes from outside brought
    # since they last did, or since somebody left a kind for later (N2-N4).
    rules_due_at = models.DateTimeField(null=True, blank=True)
    rules_news = models.JSONField(null=True, blank=True)

    credits_applied = money(default=Decimal(0))
    credits_reverted = money(default=Decimal(0))
    credits_decision = models.CharField(max_length=12, choices=PersonsDecision.choices, blank=True, default="")
    points_applied = models.BigIntegerField(default=0)
    points_reverted = models.BigIntegerField(default=0)
    points_decision = models.CharField(max_length=12, choices=PersonsDecision.choices, blank=True, default="")
    credit_revert_status = _revert_status("credits")
    points_revert_status = _revert_status("points")
    completeness = models.GeneratedField(
        expression=Case(
            When(credits_reverted=0, points_reverted=0, then=None),
            When(
                credits_reverted=F("credits_applied"),
                points_reverted=F("points_applied"),
                then=Value(Completeness.FULL.value),
            ),
            default=Value(Completeness.PARTIAL.value),
        ),
        output_field=models.CharField(max_length=8, choices=Completeness.choices, null=True),
        db_persist=True,
    )
    needs_revert = models.GeneratedField(
        expression=Case(
            When(FELL_THROUGH & (_open("credits") | _open("points")), then=Value(True)), default=Value(False)
        ),
        output_field=models.BooleanField(),
        db_persist=True,
    )

    paid_after_cancellation = models.GeneratedField(
        expression=Case(When(PAID_AFTER_CANCELLATION, then=Value(True)), default=Value(False)),
        output_field=models.BooleanField(),
        db_persist=True,
    )

    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancelled_by = models.CharField(max_length=20, blank=True)
    cancel_reason = models.CharField(max_length=20, choices=CancelReason.choices, blank=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta(StoreOwned.Meta):
        ordering = ("-placed_at", "-id")
        constraints: ClassVar[list[Any]] = [
            unique_in_store("order_in_store"),
            models.UniqueConstraint(fields=["store", "platform", "external_id"], name="order_external_id_once"),
            models.UniqueConstraint(
                fields=["store", "platform", "number"], condition=Q(external_id__isnull=True), name="order_number_once"
            ),
            _within("credits"),
            _within("points"),
            models.CheckConstraint(
                condition=Q(status=OrderStatus.CANCELLED, cancelled_at__isnull=False)
                | (~Q(status=OrderStatus.CANCELLED) & Q(cancelled_at__isnull=True)),
                name="order_cancelled_means_cancelled_at",
            ),
            models.CheckConstraint(
                condition=Q(customer__isnull=False) | Q(credits_applied=0, points_applied=0),
                name="order_spender_is_known",
            ),
            models.CheckConstraint(condition=Q(total__gte=0, refunded_total__gte=0), name="order_totals_not_negative"),
            models.CheckConstraint(condition=Q(status__in=OrderStatus.values), name="order_status_is_known"),
            models.CheckConstraint(condition=Q(payment_status__in=PaymentStatus.values), name="order_payment_is_known"),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index("store", F("placed_at").desc(), F("id").desc(), name="order_newest"),
            models.Index(
                "store", "credit_revert_status", F("placed_at").desc(), F("id").desc(), name="order_credit_status"
            ),
            models.Index(
                "store", "points_revert_status", F("placed_at").desc(), F("id").desc(), name="order_points_status"
            ),
            models.Index(
                "store",
                "completeness",
                F("placed_at").desc(),
                F("id").desc(),
                condition=Q(completeness__isnull=False),
                name="order_completeness",
            ),
            *(
                models.Index(
                    "store",
                    F("placed_at").desc(),
                    F("id").desc(),
                    condition=Q(**{f"{kind}_applied__gt": 0}),
                    name=f"order_used_{kind}",
                )
                for kind in ("credits", "points")
            ),
            models.Index("store", WAITING_SINCE, "id", condition=Q(needs_revert=True), name="order_queue"),
            *(
                models.Index(
                    "store",
                    F("placed_at").desc(),
                    F("id").desc(),
                    condition=decided_as(decision.value),
                    name=f"order_{decision.value}",
                )
                for decision in PersonsDecision
                if decision
            ),
            models.Index(
                "store",
                F("placed_at").desc(),
                F("id").desc(),
                condition=Q(paid_after_cancellation=True),
                name="order_paid_after_cancel",
            ),
            models.Index(
                "store",
                "cancelled_by",
                F("placed_at").desc(),
                F("id").desc(),
                condition=~Q(cancelled_by=""),
                name="order_cancelled_by",
            ),
            models.Index(
                "store",
                F("cancelled_at").desc(),
                F("id").desc(),
                name="order_cancelled",
            ),
            models.Index("store", F("updated_at").desc(), F("id").desc(), name="order_updated"),
            models.Index("store", "status", F("placed_at").desc(), F("id").desc(), name="order_status"),
            models.Index("store", "payment_status", F("placed_at").desc(), F("id").desc(), name="order_payment"),
            models.Index("store", "number", name="order_number"),
            models.Index("store", "external_id", name="order_external"),
            models.Index("customer", F("id").desc(), name="order_of_customer"),
            models.Index("store", "payment_status", "id", condition=AUTO_CANCELLABLE, name="order_auto_cancel"),
            models.Index(
                "payment_due_at", condition=UNPAID & Q(payment_due_at__isnull=False), name="order_payment_due"
            ),
            models.Index(
                "store", "placed_at", condition=UNPAID & Q(payment_due_at__isnull=True), name="order_window_due"
            ),
            models.Index(
                "store", "payment_due_at", condition=UNPAID & Q(payment_due_at__isnull=False), name="order_due_of_store"
            ),
            models.Index(
                "store",
                F("placed_at").desc(),
                F("id").desc(),
                condition=Q(held_at__isnull=False),
                name="order_held",
            ),
            models.Index(
                "store",
                F("placed_at").desc(),
                F("id").desc(),
                condition=OPEN_ON_PLATFORM,
                name="order_open_on_platform",
            ),
            models.Index("store", "parent_external_id", condition=~Q(parent_external_id=""), name="order_of_parent"),
            models.Index("rules_due_at", "id", condition=Q(rules_due_at__isnull=False), name="order_rules_due"),
            GinIndex("store", "tag_keys", name="order_tags"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def open_on_platform(self) -> bool:
        """Whether the order is cancelled here and the platform said last that it is open there (O6)."""
        return self.status == OrderStatus.CANCELLED and self.platform_data.get("is_open") is True

    @property
    def fell_through(self) -> bool:
        """Whether the order is cancelled or its payment refunded (O3)."""
        return self.status == OrderStatus.CANCELLED or self.payment_status == PaymentStatus.REFUNDED


class Revert(StoreOwned):
    """One giving back of one kind: who, when, why, which trigger, which lots (domain §1). Insert-only.

    ``lots`` is the outcome per lot as it was decided, in the shape of the REST contract; the movements that point here
    are what was booked. ``settings_version`` governed it (H4).
    """

    order = SameStoreKey(Order)
    customer = SameStoreKey("stores.Customer")
    kind = models.CharField(max_length=7)
    currency = models.CharField(max_length=3, blank=True)
    amount = money()
    applied = money()
    completeness = models.CharField(max_length=8, choices=Completeness.choices)
    trigger = models.CharField(max_length=20)
    actor = models.CharField(max_length=100)
    remark = SameStoreKey("stores.Remark", null=True, blank=True)
    lots = models.JSONField()
    settings_version = models.PositiveIntegerField()
    created_at = models.DateTimeField()

    class Meta(StoreOwned.Meta):
        constraints: ClassVar[list[Any]] = [
            unique_in_store("revert_in_store"),
            models.CheckConstraint(condition=Q(kind__in=("credits", "points")), name="revert_kind_is_known"),
            models.CheckConstraint(condition=Q(amount__gt=0, amount__lte=F("applied")), name="revert_amount_within"),
            models.CheckConstraint(condition=Q(trigger__in=list(Trigger)), name="revert_trigger_is_known"),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index("store", F("created_at").desc(), F("id").desc(), name="revert_newest"),
            models.Index("order", "id", name="revert_of_order"),
            models.Index("customer", F("id").desc(), name="revert_of_customer"),
        ]
        triggers: ClassVar[list[Any]] = [
            pgtrigger.Protect(name="insert_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"Return of {self.kind} {self.amount}"


class Problem(StoreOwned):
    """An order that a job could not process: why, and when it is tried again (E7). Gone once it succeeded."""

    order = SameStoreKey(Order)
    job = models.CharField(max_length=50)
    error = models.TextField()
    attempts = models.PositiveIntegerField(default=1)
    next_attempt_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta(StoreOwned.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["order", "job"], name="problem_once"),
        ]

    def __str__(self) -> str:
        return self.error
