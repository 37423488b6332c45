"""What an order, its payment, its reverts and people's decisions about them can be (O1, O3, N4)."""

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy, pgettext_lazy


class OrderStatus(models.TextChoices):
    """O1."""

    PENDING = "pending", pgettext_lazy("order", "Pending")
    CONFIRMED = "confirmed", gettext_lazy("Confirmed")
    COMPLETED = "completed", gettext_lazy("Completed")
    CANCELLED = "cancelled", gettext_lazy("Cancelled")


class PaymentStatus(models.TextChoices):
    """O1."""

    PENDING = "pending", pgettext_lazy("payment", "Pending")
    PAID = "paid", gettext_lazy("Paid")
    FAILED = "failed", pgettext_lazy("payment", "Failed")
    EXPIRED = "expired", pgettext_lazy("payment", "Expired")
    PARTIALLY_REFUNDED = "partially_refunded", gettext_lazy("Partially Refunded")
    REFUNDED = "refunded", gettext_lazy("Refunded")


class PaymentDetail(models.TextChoices):
    """What is to be known of a payment that is still pending (E10)."""

    NONE = "", gettext_lazy("Nothing more is known")
    AUTHORIZED = "authorized", gettext_lazy("Authorised, not taken yet")
    PARTIALLY_PAID = "partially_paid", gettext_lazy("Partly paid")
    ON_DELIVERY = "on_delivery", gettext_lazy("Due on delivery, and on its way")
    AT_BANK = "at_bank", gettext_lazy("On its way through a bank")
    VOIDED = "voided", gettext_lazy("Let go: it was authorised, and nothing was taken")


class RevertStatus(models.TextChoices):
    """A kind's revert status (O3); the words on screen are fixed."""

    REVERTED = "reverted", gettext_lazy("Reverted")
    NOT_REVERTED = "not_reverted", gettext_lazy("Not Reverted")


class Completeness(models.TextChoices):
    """Whether all that was used of every kind is back."""

    FULL = "full", gettext_lazy("Full")
    PARTIAL = "partial", gettext_lazy("Partial")


class CancelReason(models.TextChoices):
    """Why an order was cancelled by hand (M5)."""

    CUSTOMER = "customer", gettext_lazy("Customer asked for it")
    OUT_OF_STOCK = "out_of_stock", gettext_lazy("Out of stock")
    PAYMENT = "payment", gettext_lazy("Payment problem")
    FRAUD = "fraud", gettext_lazy("Suspected fraud")
    DUPLICATE = "duplicate", gettext_lazy("Duplicate order")
    OTHER = "other", gettext_lazy("Other")


class PersonsDecision(models.TextChoices):
    """What somebody decided about the part of a kind that is not back (N4, B2)."""

    NONE = "", gettext_lazy("Nothing decided")
    DEFERRED = "deferred", gettext_lazy("Left for later")
    DECLINED = "declined", gettext_lazy("Declined")
    EXPIRED_LEFT = "expired_left", gettext_lazy("Expired, not extended")
    DISMISSED = "dismissed", gettext_lazy("Dismissed")


# No rule or job decides anew what people have decided like this (N4).
FINAL_DECISIONS: Final = (PersonsDecision.DECLINED, PersonsDecision.DISMISSED)
