"""What sets orders apart for queues, jobs and lists, as conditions for the database (B2, E, O3, O6, O9)."""

from typing import Any

from django.db.models import Case, F, Q, When
from django.db.models.functions import Coalesce

from loyalty.stores.actors import Trigger
from orders.models.statuses import OrderStatus, PaymentStatus, PersonsDecision, RevertStatus

UNDECIDED = (PersonsDecision.NONE, PersonsDecision.DEFERRED)

# Said beside an instant of the cancellation, it lets an index pass over the others, newest first.
CANCELLED = Q(status=OrderStatus.CANCELLED)
# The order fell through: what O3 calls cancelled or refunded; partially refunded does not count.
FELL_THROUGH = Q(status=OrderStatus.CANCELLED) | Q(payment_status=PaymentStatus.REFUNDED)

# Money was there.
PAID_STATUSES = (PaymentStatus.PAID, PaymentStatus.PARTIALLY_REFUNDED, PaymentStatus.REFUNDED)
UNPAID_STATUSES = (PaymentStatus.PENDING, PaymentStatus.FAILED, PaymentStatus.EXPIRED)
# Gone from the platform before anybody paid for it: what it used waits for a decision as well (O9).
DELETED_UNPAID = Q(platform_deleted_at__isnull=False, payment_status__in=UNPAID_STATUSES)

# Of one kind or the other nothing has come back.
NOT_REVERTED = Q(credit_revert_status=RevertStatus.NOT_REVERTED) | Q(points_revert_status=RevertStatus.NOT_REVERTED)

# Since when an order of the queue waits: since it fell through, by whichever way (B2).
WAITING_SINCE = Coalesce(
    "cancelled_at",
    Case(When(payment_status=PaymentStatus.REFUNDED, then=F("payment_changed_at"))),
    "platform_deleted_at",
    "payment_changed_at",
    "placed_at",
)


def decided_as(decision: str) -> Q:
    """Orders with this decision on either kind (N4)."""
    return Q(credits_decision=decision) | Q(points_decision=decision)


# What keeps an order that staff brought back from being cancelled again at once: its payment has not changed since.
_NOT_JUDGED = Q(reinstated_at__isnull=True) | Q(payment_changed_at__gt=F("reinstated_at"))
# A payment that says failed after it was there is a refund that failed, or a mistake: staff look at it (E10).
_NOT_PAID_BEFORE = Q(paid_before=False) | ~Q(payment_status=PaymentStatus.FAILED)
FAILED_AFTER_PAYMENT = Q(payment_status=PaymentStatus.FAILED, paid_before=True) & ~Q(status=OrderStatus.CANCELLED)


def cancellable(**payment: Any) -> Q:
    """Orders that may be cancelled automatically, as far as their payment is as ``payment`` says (E9, E10).

    A condition on the payment that is there twice would have the database expect far fewer orders than there are.
    """
    return (
        _NOT_JUDGED
        & _NOT_PAID_BEFORE
        & Q(
            status__in=(OrderStatus.PENDING, OrderStatus.CONFIRMED),
            held_at__isnull=True,
            arrived_late=False,
            is_test=False,
            **payment,
        )
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
# Payments that can run out: no money is on its way, promised or let go, and somebody is to pay it at all (E1, E10).
RUNS_OUT = Q(payment_status=PaymentStatus.PENDING, payment_detail="", is_test=False) & ~Q(status=OrderStatus.CANCELLED)
# A card was declined, and whether that was all is not known yet (E10).
ATTEMPT_FAILED = RUNS_OUT & Q(attempt_failed_at__isnull=False)
