"""Rewards, and the points that were exchanged for them (R1-R5)."""

from decimal import Decimal
from typing import Any, ClassVar

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy

from credits.models import money
from loyalty.database.retention import for_ever
from loyalty.database.rights import Rights
from loyalty.languages.own_names import own_words_lazy
from loyalty.stores.scoping import SameStoreKey, StoreOwned, unique_in_store


class RewardType(models.TextChoices):
    """What points are exchanged for."""

    FIXED = "fixed", gettext_lazy("Amount off")
    PERCENTAGE = "percentage", gettext_lazy("Percentage off")
    CREDITS = "credits", own_words_lazy("Store credits")


class RedemptionState(models.TextChoices):
    """What has become of a redemption."""

    CLAIMED = "claimed", gettext_lazy("Claimed")
    USED = "used", gettext_lazy("Used")
    RETURNED = "returned", gettext_lazy("Returned")
    REVERSED = "reversed", gettext_lazy("Reversed")


class CodeOutcome(models.TextChoices):
    """What came of an order's coming with a code of ours (R7)."""

    USED = "used", own_words_lazy("Paid with its points")
    AFTER_RETURN = "after_return", own_words_lazy("Came after the points had been returned")
    USED_BEFORE = "used_before", gettext_lazy("Came after another order had used the code")
    OF_FAMILY = "of_family", gettext_lazy("Used by the order that this one was split from or into")


# Somebody had a discount for points that are back, or twice: staff look at the order.
FLAGGED_OUTCOMES = (CodeOutcome.AFTER_RETURN, CodeOutcome.USED_BEFORE)


class PlatformState(models.TextChoices):
    """Whether the shop platform has what we last told it: the code, or that it is gone."""

    PENDING = "pending", gettext_lazy("Waiting for the platform")
    CONFIRMED = "confirmed", gettext_lazy("Confirmed by the platform")
    FAILED = "failed", gettext_lazy("Refused by the platform")


class RequestState(models.TextChoices):
    """What has become of a request for a reversal (R5)."""

    OPEN = "open", gettext_lazy("Waits for an answer")
    DONE = "done", gettext_lazy("Reversed")
    REFUSED = "refused", gettext_lazy("Refused")


def _terms(name: str) -> list[models.CheckConstraint]:
    return [
        models.CheckConstraint(condition=Q(type__in=RewardType.values), name=f"{name}_type_is_known"),
        models.CheckConstraint(condition=Q(points__gt=0, value__gt=0), name=f"{name}_is_worth_something"),
        models.CheckConstraint(
            condition=Q(type=RewardType.PERCENTAGE, value__lte=100, currency="")
            | (~Q(type=RewardType.PERCENTAGE) & ~Q(currency="")),
            name=f"{name}_currency_or_percentage",
        ),
    ]


class Reward(StoreOwned):
    """What a store gives for points (R1): a discount code, or store credits. Inactive ones are offered no more.

    ``valid_days`` from the day on which it is redeemed, the code or the credits can last be used; None for ever.
    """

    name = models.CharField(max_length=100)
    points = models.BigIntegerField(validators=[MinValueValidator(1)])
    type = models.CharField(max_length=10, choices=RewardType.choices)
    value = money(validators=[MinValueValidator(Decimal("0.001"))])
    currency = models.CharField(max_length=3, blank=True)
    valid_days = models.PositiveIntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    limit_per_customer = models.PositiveIntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)

    rights = Rights(all_but=("created_at",))
    retention = for_ever("few, and redemptions name them")

    class Meta(StoreOwned.Meta):
        verbose_name = gettext_lazy("reward")
        verbose_name_plural = gettext_lazy("rewards")
        constraints: ClassVar[list[Any]] = [
            unique_in_store("reward_in_store"),
            *_terms("reward"),
            models.CheckConstraint(condition=Q(valid_days__isnull=True) | Q(valid_days__gt=0), name="reward_valid"),
            models.CheckConstraint(
                condition=Q(limit_per_customer__isnull=True) | Q(limit_per_customer__gt=0), name="reward_limit"
            ),
        ]
        indexes: ClassVar[list[Any]] = [models.Index("store", F("id").desc(), name="reward_newest")]

    def __str__(self) -> str:
        return self.name


class Redemption(StoreOwned):
    """Points that a customer exchanged for a reward, on the reward's terms of that moment (R2).

    What it took of which lot are point allocations; what came back of them stands there and is summed in
    ``points_returned``. The first order that comes with the code is its ``used_order``: the allocations become that
    order's, and the redemption is *returned* once some of its points came back through it (R7). A discount code stands
    in ``code``; a reward of credits has a ``credit_lot`` instead, of which a reversal took ``credits_taken`` back (R4).
    ``expires_at`` is the half-open end of what was given.

    ``ended_at`` is since when the code is dead, whatever becomes of the points afterwards. ``platform`` names the shop
    platform that the code is told to, ``platform_reference`` is its name there. ``creating_until`` is set while a
    request that creates the code there may be under way: until then a deletion waits, so that no code appears after it.
    ``platform_said`` is what it answered last, at ``platform_said_at``, when it was asked whether the code was used.
    """

    customer = SameStoreKey("stores.Customer")
    reward = SameStoreKey(Reward)
    reward_name = models.CharField(max_length=100)
    points = models.BigIntegerField()
    type = models.CharField(max_length=10, choices=RewardType.choices)
    value = money()
    currency = models.CharField(max_length=3, blank=True)
    code = models.CharField(max_length=40, null=True)
    credit_lot = SameStoreKey("credits.CreditLot", null=True)
    expires_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=8, choices=RedemptionState.choices, default=RedemptionState.CLAIMED)
    platform = models.CharField(max_length=20, blank=True)
    platform_state = models.CharField(max_length=9, choices=PlatformState.choices, null=True)
    platform_reference = models.CharField(max_length=200, blank=True)
    creating_until = models.DateTimeField(null=True)
    platform_said = models.CharField(max_length=11, null=True)
    platform_said_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)
    used_order = SameStoreKey("orders.Order", null=True)
    ended_at = models.DateTimeField(null=True)
    reversed_at = models.DateTimeField(null=True)
    reversed_by = models.CharField(max_length=100, blank=True)
    reversal_remark = SameStoreKey("stores.Remark", null=True)
    forced = models.BooleanField(default=False)
    points_returned = models.BigIntegerField(default=0)
    credits_taken = money(default=Decimal(0))
    actor = models.CharField(max_length=100)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    # What was exchanged for what stays as it was; the customer changes where he is merged into another (O7).
    rights = Rights(
        all_but=(
            *("reward", "reward_name", "points", "type", "value", "currency", "code"),
            *("expires_at", "platform", "actor", "created_at"),
        )
    )
    retention = for_ever("the history of points that were exchanged")

    class Meta(StoreOwned.Meta):
        verbose_name = gettext_lazy("redemption")
        verbose_name_plural = gettext_lazy("redemptions")
        constraints: ClassVar[list[Any]] = [
            unique_in_store("redemption_in_store"),
            models.UniqueConstraint(fields=["store", "code"], name="redemption_code_once"),
            *_terms("redemption"),
            models.CheckConstraint(
                condition=Q(type=RewardType.CREDITS, code__isnull=True, platform="")
                | (~Q(type=RewardType.CREDITS) & Q(code__isnull=False, credit_lot__isnull=True)),
                name="redemption_code_or_credits",
            ),
            models.CheckConstraint(
                condition=Q(platform="", platform_state__isnull=True)
                | (~Q(platform="") & Q(platform_state__in=PlatformState.values)),
                name="redemption_platform_state",
            ),
            models.CheckConstraint(
                condition=Q(state=RedemptionState.REVERSED, reversed_at__isnull=False, ended_at__isnull=False)
                | Q(
                    state=RedemptionState.RETURNED,
                    reversed_at__isnull=True,
                    ended_at__isnull=False,
                    used_at__isnull=False,
                    used_order__isnull=False,
                    points_returned__gt=0,
                )
                | Q(state=RedemptionState.USED, reversed_at__isnull=True, used_at__isnull=False)
                | Q(
                    state=RedemptionState.CLAIMED,
                    reversed_at__isnull=True,
                    ended_at__isnull=True,
                    used_at__isnull=True,
                    used_order__isnull=True,
                ),
                name="redemption_state_fits",
            ),
            models.CheckConstraint(
                condition=Q(points_returned__gte=0, points_returned__lte=F("points")),
                name="redemption_returned_within",
            ),
            models.CheckConstraint(
                condition=Q(state=RedemptionState.REVERSED)
                | Q(state=RedemptionState.RETURNED, credits_taken=0)
                | Q(points_returned=0, credits_taken=0),
                name="redemption_returned_by_reversal",
            ),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index("store", F("id").desc(), name="redemption_newest"),
            models.Index("store", "state", F("id").desc(), name="redemption_by_state"),
            models.Index("customer", F("id").desc(), name="redemption_of_customer"),
            models.Index("reward", F("id").desc(), name="redemption_of_reward"),
            models.Index(
                "store",
                F("id").desc(),
                condition=Q(platform_state__in=(PlatformState.PENDING, PlatformState.FAILED)),
                name="redemption_not_confirmed",
            ),
        ]

    def __str__(self) -> str:
        return self.code or self.reward_name


class CodeUse(StoreOwned):
    """An order that came with a redemption's code, and what came of it (R3, R7).

    Flagged are those that used none of its points: the customer has the points and the discount, or the discount
    twice. Staff look at them and settle them.
    """

    redemption = SameStoreKey(Redemption)
    order = SameStoreKey("orders.Order")
    outcome = models.CharField(max_length=12, choices=CodeOutcome.choices)
    settled_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    rights = Rights(changes=("settled_at",))
    retention = for_ever("which order used which code")

    class Meta(StoreOwned.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["order", "redemption"], name="codeuse_once"),
            models.UniqueConstraint(
                fields=["redemption"], condition=Q(outcome=CodeOutcome.USED), name="codeuse_used_once"
            ),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index("redemption", name="codeuse_of_redemption"),
            models.Index(
                "store",
                F("order").desc(),
                condition=Q(outcome__in=FLAGGED_OUTCOMES, settled_at__isnull=True),
                name="codeuse_to_look_at",
            ),
        ]

    def __str__(self) -> str:
        return f"Use {self.pk}"


class ReversalRequest(StoreOwned):
    """That a customer asked for a reversal, and what staff answered (R5)."""

    redemption = SameStoreKey(Redemption)
    state = models.CharField(max_length=7, choices=RequestState.choices, default=RequestState.OPEN)
    remark = SameStoreKey("stores.Remark")
    actor = models.CharField(max_length=100)
    created_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    answered_by = models.CharField(max_length=100, blank=True)
    answer = SameStoreKey("stores.Remark", null=True)

    rights = Rights(changes=("state", "answer", "answered_at", "answered_by"))
    retention = for_ever("what a customer asked for, and what was answered")

    class Meta(StoreOwned.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["redemption"], condition=Q(state=RequestState.OPEN), name="reversalrequest_open_once"
            ),
            models.CheckConstraint(
                condition=Q(state=RequestState.OPEN, answered_at__isnull=True)
                | (~Q(state=RequestState.OPEN) & Q(answered_at__isnull=False)),
                name="reversalrequest_answered",
            ),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index("redemption", F("id").desc(), name="reversalrequest_of_redemption"),
            models.Index("store", F("id").desc(), name="reversalrequest_newest"),
        ]

    def __str__(self) -> str:
        return f"Request {self.pk}"
