"""How orders, reverts, plans and answers look in JSON (REST contract, shapes).

Plain functions rather than serializers: a page of fifty orders is made of two thousand values. The serializers in
:mod:`orders.api.documents` say the same for the schema, and a test holds the two together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from loyalty.api.answers.documents import actor_json
from loyalty.core.values import instant_or_none
from loyalty.journal.models import JournalEntry
from loyalty.ledger.ledger import Kind
from loyalty.ledger.planner import Amount
from loyalty.notices.models import Notice
from loyalty.stores.models import Customer, Store
from loyalty.timeline.sentences import sentence
from orders.kinds import KINDS, allocation_ref, applied, currency_of, plain, reverted
from orders.models import Order, PaymentDetail, Revert, RevertUndo
from orders.services.reverts.apply import CancelResult, MadeRevert, Skip, lot_json, skips
from orders.services.reverts.plans import Preview
from orders.services.reverts.reinstate import ReinstateResult
from orders.services.reverts.warnings import OrderWarning

JSON = dict[str, Any]
PAYMENT_DETAILS: Final = tuple(
    detail.value
    for detail in (
        PaymentDetail.AUTHORIZED,
        PaymentDetail.PARTIALLY_PAID,
        PaymentDetail.ON_DELIVERY,
        PaymentDetail.VOIDED,
    )
)


def order_json(order: Order) -> JSON:
    """One order; its customer must be loaded with it."""
    return {
        "id": str(order.pk),
        "number": order.number,
        "external_id": order.external_id,
        "platform": order.platform,
        "customer": _customer(order.customer),
        "status": order.status,
        "payment_status": order.payment_status,
        "payment_detail": payment_detail(order),
        "payment_due_at": instant_or_none(order.payment_due_at),
        "placed_at": instant_or_none(order.placed_at),
        "currency": order.currency,
        "total": plain(order.total, order.currency),
        "refunded_total": plain(order.refunded_total, order.currency),
        "tags": order.tags,
        "codes": order.codes,
        **_used(order, "credits", order.credit_revert_status),
        **_used(order, "points", order.points_revert_status),
        "completeness": order.completeness,
        "points_earned": order.points_earned,
        "points_taken_back": order.points_taken_back,
        "cancelled_at": instant_or_none(order.cancelled_at),
        "cancelled_by": order.cancelled_by or None,
        "cancel_reason": order.cancel_reason or None,
        "held_at": instant_or_none(order.held_at),
        "platform_deleted_at": instant_or_none(order.platform_deleted_at),
        "is_test": order.is_test,
        "created_at": instant_or_none(order.created_at),
        "updated_at": instant_or_none(order.updated_at),
    }


def payment_detail(order: Order) -> str | None:
    """What is to be known of a pending payment, in the contract's words, which have none for money at a bank (E10)."""
    return order.payment_detail if order.payment_detail in PAYMENT_DETAILS else None


def _customer(customer: Customer | None) -> JSON | None:
    return None if customer is None else {"id": str(customer.pk), "email": customer.email, "name": customer.name}


def _used(order: Order, kind: Kind, status: str | None) -> JSON:
    currency = currency_of(order, kind)
    singular = {"credits": "credit", "points": "points"}[kind]
    return {
        f"{kind}_applied": plain(applied(order, kind), currency),
        f"{kind}_reverted": plain(reverted(order, kind), currency),
        f"{singular}_revert_status": status,
    }


def revert_json(revert: Revert, returned_to: Mapping[str, str]) -> JSON:
    """One revert; ``returned_to`` has the lot that each returned allocation's value went into, by its reference."""
    return {
        "id": str(revert.pk),
        "kind": revert.kind,
        "amount": plain(revert.amount, revert.currency),
        "applied": plain(revert.applied, revert.currency),
        "completeness": revert.completeness,
        "trigger": revert.trigger,
        "lots": [_lot(lot, returned_to.get(lot["allocation"])) for lot in revert.lots],
    }


def _lot(lot: JSON, returned_to: str | None) -> JSON:
    return lot | {"new_lot": None if returned_to == lot["lot"] else returned_to}


def kept_revert_json(
    revert: Revert, returned_to: Mapping[str, str], undo: RevertUndo | None, names: Mapping[str, str]
) -> JSON:
    """One revert of the list, with what an answer to a cancel leaves out because it is at hand there."""
    return revert_json(revert, returned_to) | {
        "order": str(revert.order_id),
        "customer": str(revert.customer_id),
        "currency": revert.currency or None,
        "actor": actor_json(revert.actor, names[revert.actor]),
        "created_at": instant_or_none(revert.created_at),
        "undo": None if undo is None else _undo(undo, names),
    }


def _undo(undo: RevertUndo, names: Mapping[str, str]) -> JSON:
    return {
        "id": str(undo.pk),
        "actor": actor_json(undo.actor, names[undo.actor]),
        "reason": undo.remark.reason if undo.remark else "",
        "created_at": instant_or_none(undo.created_at),
    }


def cancel_json(result: CancelResult) -> JSON:
    """The answer to a cancel or a return."""
    return {
        "order": order_json(result.order),
        "reverts": [_made(made) for made in result.reverts],
        "skipped": [_skip(skip) for skip in result.skipped],
        "notification": _notification(result.notice),
    }


def reinstate_json(result: ReinstateResult) -> JSON:
    """The answer to a reinstatement."""
    order = result.order
    deducted = {kind: plain(result.deducted.get(kind, 0), currency_of(order, kind)) for kind in KINDS}
    return {"order": order_json(order), "deducted": deducted}


def _made(made: MadeRevert) -> JSON:
    new_lots = {allocation_ref(made.kind, allocation): str(lot) for allocation, lot in made.new_lots.items()}
    return revert_json(made.revert, new_lots)


def _skip(skip: Skip) -> JSON:
    return {"kind": skip.kind, "code": skip.code, "detail": skip.detail}


def _notification(notice: Notice | None) -> JSON | None:
    return None if notice is None else {"id": str(notice.pk), "status": notice.status}


def plan_json(shown: Preview, warnings: Sequence[OrderWarning], *, store: Store, balances: bool) -> JSON:
    """The plan of a preview; balances are null for a key that may not read the ledger."""
    kinds: dict[str, JSON] = {kind: _kind_plan(shown, kind, warnings, store=store, balances=balances) for kind in KINDS}
    return {
        "order": order_json(shown.plan.order),
        **kinds,
        "earned_points": asdict(shown.earned),
        "skipped": [_skip(skip) for skip in skips(shown.plan)],
        "warnings": [_warning(warning) for warning in warnings],
        "preview_token": shown.token,
    }


def _warning(warning: OrderWarning) -> JSON:
    return {"code": warning.code, "detail": warning.detail}


def _kind_plan(shown: Preview, kind: Kind, warnings: Sequence[OrderWarning], *, store: Store, balances: bool) -> JSON:
    plan = shown.plan.kinds[kind]
    currency = currency_of(shown.plan.order, kind)

    def balance(amounts: Mapping[Kind, Amount]) -> str | int | None:
        return plain(amounts[kind], currency) if balances else None

    return {
        "lots": [lot_json(kind, lot, store) | {"new_lot": None} for lot in plan.lots],
        "returns": plain(plan.returns, currency),
        "remains": plain(plan.remains, currency),
        "balance_before": balance(shown.balance_before),
        "balance_after": balance(shown.balance_after),
        "warnings": [_warning(warning) for warning in warnings if warning.kind == kind],
    }


def entry_json(entry: JournalEntry, actor: str) -> JSON:
    """One entry of an order's timeline; its remark must be loaded with it. ``actor`` is a name for people."""
    note = entry.remark.note if entry.remark else ""
    return {
        "id": str(entry.pk),
        "created_at": instant_or_none(entry.created_at),
        "event": entry.event,
        "actor": actor_json(entry.actor, actor),
        "data": entry.data | ({"note": note} if note else {}),
    }


def decision_json(entry: JournalEntry, store: Store) -> JSON:
    """One decision about one kind of an order (N6)."""
    facts = {name: entry.data[name] for name in ("kind", "trigger", "settings_version", "matched", "outcome", "code")}
    return {
        "id": str(entry.pk),
        "created_at": instant_or_none(entry.created_at),
        **facts,
        "sentence": f"{sentence(entry, store)}.",
    }
