"""Rewards, redemptions, reversals and codes, as answers show them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from rest_framework import serializers

from loyalty.api.answers.documents import JSON, Document
from loyalty.api.values import AmountTextField, DayField, IdField, InstantField
from loyalty.core.days import last_day_of_use
from loyalty.core.values import day_or_none, value_json
from loyalty.ledger.planner import PlannedLot
from loyalty.stores.models import Store
from orders.api.reverts.documents import LotDocument, NotificationDocument
from orders.models import (
    PlatformState,
    Redemption,
    RedemptionState,
    RequestState,
    ReversalRequest,
    Reward,
    RewardType,
)
from orders.services.codes.on_platform import Asked
from orders.services.redemptions.plans import ReversalPlan, ReversalPreview
from orders.services.redemptions.redeem import usable
from orders.services.redemptions.reverse import Reversed
from orders.services.reverts.apply import lot_json


class RewardDocument(Document):
    """What points are exchanged for; ``value`` is an amount of ``currency``, or percent."""

    id = IdField()
    name = serializers.CharField()
    points = serializers.IntegerField()
    type = serializers.ChoiceField(choices=RewardType.choices)
    value = AmountTextField()
    currency = serializers.CharField(allow_null=True)
    valid_days = serializers.IntegerField(allow_null=True)
    limit_per_customer = serializers.IntegerField(allow_null=True)
    active = serializers.BooleanField()
    created_at = InstantField()
    updated_at = InstantField()


def reward_json(reward: Reward) -> JSON:
    """One reward."""
    return RewardDocument.of(reward, **_worth(reward))


def _worth(row: Reward | Redemption) -> JSON:
    """Percent have no currency, and are written as they are."""
    value = value_json(row.value, row.currency) if row.currency else f"{row.value.normalize():f}"
    return {"value": value, "currency": row.currency or None}


class RequestDocument(Document):
    """That the customer asked for a reversal, and what was answered."""

    id = IdField()
    redemption = IdField(source="redemption_id")
    state = serializers.ChoiceField(choices=RequestState.choices)
    reason = serializers.CharField(allow_blank=True)
    answer = serializers.CharField(allow_null=True)
    created_at = InstantField()
    answered_at = InstantField(allow_null=True)


def request_json(request: ReversalRequest) -> JSON:
    """One request; its remarks must be loaded with it."""
    return RequestDocument.of(
        request, reason=request.remark.reason, answer=request.answer.reason if request.answer else None
    )


class RedemptionDocument(Document):
    """Points that were exchanged; ``code`` is null for store credits, which are in ``credit_lot``.

    ``usable``: the code may be used now; for credits, that they were not reversed. ``request`` is the newest request
    for a reversal.
    """

    id = IdField()
    customer = IdField(source="customer_id")
    reward = IdField(source="reward_id")
    name = serializers.CharField(source="reward_name")
    points = serializers.IntegerField()
    type = serializers.ChoiceField(choices=RewardType.choices)
    value = AmountTextField()
    currency = serializers.CharField(allow_null=True)
    code = serializers.CharField(allow_null=True)
    credit_lot = IdField(allow_null=True, source="credit_lot_id")
    state = serializers.ChoiceField(choices=RedemptionState.choices)
    platform_state = serializers.ChoiceField(choices=PlatformState.choices, allow_null=True)
    usable = serializers.BooleanField()
    expires_on = DayField(allow_null=True)
    expires_at = InstantField(allow_null=True)
    used_at = InstantField(allow_null=True)
    used_by_order = IdField(allow_null=True, source="used_order_id")
    created_at = InstantField()
    reversed_at = InstantField(allow_null=True)
    forced = serializers.BooleanField()
    points_returned = serializers.IntegerField()
    credits_taken = AmountTextField()
    request = RequestDocument(allow_null=True)


def redemption_json(redemption: Redemption, request: ReversalRequest | None, *, store: Store, now: datetime) -> JSON:
    """One redemption, with the newest request for its reversal."""
    return RedemptionDocument.of(redemption, **_facts(redemption, request, store=store, now=now))


def _facts(redemption: Redemption, request: ReversalRequest | None, *, store: Store, now: datetime) -> JSON:
    return {
        **_worth(redemption),
        **_standing(redemption, store=store, now=now),
        "credits_taken": _money(redemption.credits_taken, redemption, store),
        "request": request and request_json(request),
    }


def _standing(redemption: Redemption, *, store: Store, now: datetime) -> JSON:
    last_day = last_day_of_use(redemption.expires_at, store.tz)
    return {"usable": usable(redemption, now), "expires_on": day_or_none(last_day)}


def _money(amount: Decimal, redemption: Redemption, store: Store) -> str | int:
    return value_json(amount, redemption.currency or store.currency)


def newest_requests(redemptions: Sequence[Redemption], store: Store) -> Mapping[int, ReversalRequest]:
    """The newest request for each redemption that has one; one query."""
    requests = ReversalRequest.objects.for_store(store).filter(redemption__in=redemptions)
    rows = requests.select_related("remark", "answer").order_by("pk")
    return {request.redemption_id: request for request in rows}


class ReversedDocument(RedemptionDocument):
    """What a reversal did; a repeat has no lots."""

    lots = LotDocument(many=True)
    platform_asked = serializers.ChoiceField(choices=[asked.value for asked in Asked])
    notification = NotificationDocument(allow_null=True)


def reversed_json(
    done: Reversed, request: ReversalRequest | None, asked: Asked, *, store: Store, now: datetime
) -> JSON:
    """The answer to a reversal."""
    return ReversedDocument.of(
        done.redemption,
        **_facts(done.redemption, request, store=store, now=now),
        lots=[] if done.plan is None else _lots(done.plan, done.new_lots, store),
        platform_asked=asked.value,
        notification=done.notice and NotificationDocument.of(done.notice),
    )


def _lots(plan: ReversalPlan, new_lots: Mapping[int, int], store: Store) -> list[JSON]:
    return [_lot(lot, new_lots.get(lot.used.allocation_id), store) for lot in plan.points.lots]


def _lot(lot: PlannedLot, new_lot: int | None, store: Store) -> JSON:
    return lot_json("points", lot, store) | {"new_lot": None if new_lot is None else str(new_lot)}


class ReversalPlanDocument(Document):
    """What a reversal would do: which points return, how many stay spent, what is taken back of credits."""

    redemption = RedemptionDocument()
    lots = LotDocument(many=True)
    returns = serializers.IntegerField(source="plan.returns")
    remains = serializers.IntegerField()
    credits_taken = AmountTextField()
    credits_left = AmountTextField()
    balance_before = serializers.IntegerField(allow_null=True)
    balance_after = serializers.IntegerField(allow_null=True)
    preview_token = serializers.CharField(source="token")


def reversal_plan_json(
    shown: ReversalPreview, request: ReversalRequest | None, *, store: Store, now: datetime, balances: bool
) -> JSON:
    """The plan of a preview; balances are null for a key that may not read the ledger."""
    plan = shown.plan
    hidden = {} if balances else {"balance_before": None, "balance_after": None}
    return ReversalPlanDocument.of(
        shown,
        redemption=redemption_json(plan.redemption, request, store=store, now=now),
        lots=_lots(plan, {}, store),
        remains=plan.redemption.points - plan.redemption.points_returned - plan.returns,
        credits_taken=_money(Decimal(plan.taken), plan.redemption, store),
        credits_left=_money(Decimal(plan.spent_already), plan.redemption, store),
        **hidden,
    )


class CodeDocument(Document):
    """Whether a discount code may be used, and what it is worth."""

    code = serializers.CharField()
    usable = serializers.BooleanField()
    state = serializers.ChoiceField(choices=RedemptionState.choices)
    platform_state = serializers.ChoiceField(choices=PlatformState.choices, allow_null=True)
    type = serializers.ChoiceField(choices=RewardType.choices)
    value = AmountTextField()
    currency = serializers.CharField(allow_null=True)
    expires_on = DayField(allow_null=True)
    expires_at = InstantField(allow_null=True)
    redemption = IdField(source="id")
    customer = IdField(source="customer_id")


def code_json(redemption: Redemption, *, store: Store, now: datetime) -> JSON:
    """Whether a code may be used."""
    return CodeDocument.of(redemption, **_worth(redemption), **_standing(redemption, store=store, now=now))
