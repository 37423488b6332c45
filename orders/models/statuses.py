"""What an order, its payment, its reverts and people's decisions about them can be (O1, O3, N4)."""

from typing import Final

from django.db import models


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


class PaymentDetail(models.TextChoices):
    """What is to be known of a payment that is still pending (E10)."""

    NONE = "", "Nothing more is known"
    AUTHORIZED = "authorized", "Authorised, not taken yet"
    PARTIALLY_PAID = "partially_paid", "Partly paid"
    ON_DELIVERY = "on_delivery", "Due on delivery, and on its way"
    AT_BANK = "at_bank", "On its way through a bank"
    VOIDED = "voided", "Let go: it was authorised, and nothing was taken"


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


# No rule or job decides anew what people have decided like this (N4).
FINAL_DECISIONS: Final = (PersonsDecision.DECLINED, PersonsDecision.DISMISSED)
