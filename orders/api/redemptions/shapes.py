"""How rewards, redemptions, reversals and codes look in JSON."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from loyalty.core.days import last_day_of_use
from loyalty.core.values import day_or_none, instant_or_none
from loyalty.stores.models import Store
from orders.kinds import plain
from orders.models import Redemption, ReversalRequest, Reward
from orders.services.codes.on_platform import Asked
from orders.services.redemptions.plans import ReversalPlan, ReversalPreview
from orders.services.redemptions.redeem import usable
from orders.services.redemptions.reverse import Reversed
from orders.services.reverts.apply import lot_json

JSON = dict[str, Any]


def reward_json(reward: Reward) -> JSON:
    """One reward."""
    return {
        "id": str(reward.pk),
        "name": reward.name,
        "points": reward.points,
        **_worth(reward),
        "valid_days": reward.valid_days,
        "limit_per_customer": reward.limit_per_customer,
        "active": reward.active,
        "created_at": instant_or_none(reward.created_at),
        "updated_at": instant_or_none(reward.updated_at),
    }


def redemption_json(redemption: Redemption, request: ReversalRequest | None, *, store: Store, now: datetime) -> JSON:
    """One redemption, with the newest request for its reversal."""
    return {
        "id": str(redemption.pk),
        "customer": str(redemption.customer_id),
        "reward": str(redemption.reward_id),
        "name": redemption.reward_name,
        "points": redemption.points,
        **_worth(redemption),
        "code": redemption.code,
        "credit_lot": _id(redemption.credit_lot_id),
        "state": redemption.state,
        "platform_state": redemption.platform_state,
        "usable": usable(redemption, now),
        **_expiry(redemption, store),
        "used_at": instant_or_none(redemption.used_at),
        "used_by_order": _id(redemption.used_order_id),
        "created_at": instant_or_none(redemption.created_at),
        "reversed_at": instant_or_none(redemption.reversed_at),
        "forced": redemption.forced,
        "points_returned": redemption.points_returned,
        "credits_taken": _money(redemption.credits_taken, redemption, store),
        "request": None if request is None else request_json(request),
    }


def newest_requests(redemptions: Sequence[Redemption], store: Store) -> Mapping[int, ReversalRequest]:
    """The newest request for each redemption that has one; one query."""
    requests = ReversalRequest.objects.for_store(store).filter(redemption__in=redemptions)
    rows = requests.select_related("remark", "answer").order_by("pk")
    return {request.redemption_id: request for request in rows}


def request_json(request: ReversalRequest) -> JSON:
    """One request; its remarks must be loaded with it."""
    return {
        "id": str(request.pk),
        "redemption": str(request.redemption_id),
        "state": request.state,
        "reason": request.remark.reason,
        "answer": request.answer.reason if request.answer else None,
        "created_at": instant_or_none(request.created_at),
        "answered_at": instant_or_none(request.answered_at),
    }


def reversed_json(
    done: Reversed, request: ReversalRequest | None, asked: Asked, *, store: Store, now: datetime
) -> JSON:
    """The answer to a reversal."""
    notice = done.notice
    return redemption_json(done.redemption, request, store=store, now=now) | {
        "lots": [] if done.plan is None else _lots(done.plan, done.new_lots, store),
        "platform_asked": asked.value,
        "notification": None if notice is None else {"id": str(notice.pk), "status": notice.status},
    }


def reversal_plan_json(
    shown: ReversalPreview, request: ReversalRequest | None, *, store: Store, now: datetime, balances: bool
) -> JSON:
    """The plan of a preview; balances are null for a key that may not read the ledger."""
    plan = shown.plan
    return {
        "redemption": redemption_json(plan.redemption, request, store=store, now=now),
        "lots": _lots(plan, {}, store),
        "returns": plan.returns,
        "remains": plan.redemption.points - plan.redemption.points_returned - plan.returns,
        "credits_taken": _money(Decimal(plan.taken), plan.redemption, store),
        "credits_left": _money(Decimal(plan.spent_already), plan.redemption, store),
        "balance_before": shown.balance_before if balances else None,
        "balance_after": shown.balance_after if balances else None,
        "preview_token": shown.token,
    }


def code_json(redemption: Redemption, *, store: Store, now: datetime) -> JSON:
    """Whether a code may be used."""
    return {
        "code": redemption.code,
        "usable": usable(redemption, now),
        "state": redemption.state,
        "platform_state": redemption.platform_state,
        **_worth(redemption),
        **_expiry(redemption, store),
        "redemption": str(redemption.pk),
        "customer": str(redemption.customer_id),
    }


def _worth(row: Reward | Redemption) -> JSON:
    value = plain(row.value, row.currency) if row.currency else f"{row.value.normalize():f}"
    return {"type": row.type, "value": value, "currency": row.currency or None}


def _money(amount: Decimal, redemption: Redemption, store: Store) -> str | int:
    return plain(amount, redemption.currency or store.currency)


def _expiry(redemption: Redemption, store: Store) -> JSON:
    return {
        "expires_on": day_or_none(last_day_of_use(redemption.expires_at, store.tz)),
        "expires_at": instant_or_none(redemption.expires_at),
    }


def _lots(plan: ReversalPlan, new_lots: Mapping[int, int], store: Store) -> list[JSON]:
    return [
        lot_json("points", lot, store) | {"new_lot": _id(new_lots.get(lot.used.allocation_id))}
        for lot in plan.points.lots
    ]


def _id(key: int | None) -> str | None:
    return None if key is None else str(key)
