"""What came back, would come back or does not, as answers show it."""

from collections.abc import Mapping, Sequence

from rest_framework import serializers

from loyalty.api.answers.documents import JSON, ActorDocument, Document, actor_json
from loyalty.api.values import AmountField, DayField, IdField, InstantField, ValueField
from loyalty.core.values import value_json
from loyalty.ledger.ledger import Kind
from loyalty.ledger.planner import Amount, Outcome
from loyalty.notices.models import NoticeStatus
from loyalty.stores.models import Store
from orders.api.orders.documents import TRIGGERS, OrderDocument
from orders.kinds import KINDS, allocation_ref, currency_of
from orders.models import Completeness, Revert, RevertUndo
from orders.services.reverts.apply import CancelResult, MadeRevert, lot_json, skips
from orders.services.reverts.plans import Preview
from orders.services.reverts.reinstate import ReinstateResult
from orders.services.reverts.warnings import OrderWarning


class LotDocument(Document):
    """What becomes of the part of one lot that the order used."""

    allocation = serializers.CharField()
    lot = IdField()
    amount = ValueField()
    outcome = serializers.ChoiceField(choices=[outcome.value for outcome in Outcome])
    expires_on = DayField(allow_null=True)
    new_lot = IdField(allow_null=True)


class MadeRevertDocument(Document):
    """One giving back of one kind."""

    id = IdField()
    kind = serializers.ChoiceField(choices=KINDS)
    amount = ValueField()
    applied = ValueField()
    completeness = serializers.ChoiceField(choices=Completeness.choices)
    trigger = serializers.ChoiceField(choices=TRIGGERS)
    lots = LotDocument(many=True)


class UndoDocument(Document):
    """That a revert was undone."""

    id = IdField()
    actor = ActorDocument()
    reason = serializers.CharField(allow_blank=True)
    created_at = InstantField()


class RevertDocument(MadeRevertDocument):
    """A revert; ``undo`` says whether it was undone."""

    order = IdField(source="order_id")
    customer = IdField(source="customer_id")
    currency = serializers.CharField(allow_null=True)
    actor = ActorDocument()
    created_at = InstantField()
    undo = UndoDocument(allow_null=True)


def revert_json(
    revert: Revert, returned_to: Mapping[str, str], undo: RevertUndo | None, names: Mapping[str, str]
) -> JSON:
    """One revert; ``returned_to`` has the lot that each returned allocation's value went into, by its reference."""
    return RevertDocument.of(
        revert,
        lots=_lots(revert, returned_to),
        currency=revert.currency or None,
        actor=actor_json(revert.actor, names[revert.actor]),
        undo=undo and _undo(undo, names),
    )


def _lots(revert: Revert, returned_to: Mapping[str, str]) -> list[JSON]:
    return [_lot(lot, returned_to.get(lot["allocation"])) for lot in revert.lots]


def _lot(lot: JSON, returned_to: str | None) -> JSON:
    return lot | {"new_lot": None if returned_to == lot["lot"] else returned_to}


def _undo(undo: RevertUndo, names: Mapping[str, str]) -> JSON:
    reason = undo.remark.reason if undo.remark else ""
    return UndoDocument.of(undo, actor=actor_json(undo.actor, names[undo.actor]), reason=reason)


class UndoAnswerDocument(Document):
    """What undoing a revert did."""

    order = OrderDocument()
    revert = RevertDocument()


class SkipDocument(Document):
    """Why nothing of a kind comes back."""

    kind = serializers.ChoiceField(choices=KINDS)
    code = serializers.CharField()
    detail = serializers.CharField()


class NotificationDocument(Document):
    """The message to the customer."""

    id = IdField()
    status = serializers.ChoiceField(choices=NoticeStatus.choices)


class CancelAnswerDocument(Document):
    """What a cancel or a return did."""

    order = OrderDocument()
    reverts = MadeRevertDocument(many=True)
    skipped = SkipDocument(many=True)
    notification = NotificationDocument(allow_null=True, source="notice")


def cancel_json(result: CancelResult) -> JSON:
    """The answer to a cancel or a return."""
    return CancelAnswerDocument.of(result, reverts=[_made(made) for made in result.reverts])


def _made(made: MadeRevert) -> JSON:
    new_lots = {allocation_ref(made.kind, allocation): str(lot) for allocation, lot in made.new_lots.items()}
    return MadeRevertDocument.of(made.revert, lots=_lots(made.revert, new_lots))


class DeductedDocument(Document):
    """What was taken again of each kind; zero for nothing."""

    credits = AmountField()
    points = serializers.IntegerField()


class ReinstateAnswerDocument(Document):
    """What reinstating did."""

    order = OrderDocument()
    deducted = DeductedDocument()


def reinstate_json(result: ReinstateResult) -> JSON:
    """The answer to a reinstatement."""
    deducted = {kind: value_json(result.deducted.get(kind, 0), currency_of(result.order, kind)) for kind in KINDS}
    return ReinstateAnswerDocument.of(result, deducted=DeductedDocument.of(**deducted))


class WarningDocument(Document):
    """What staff should know first."""

    code = serializers.CharField()
    detail = serializers.CharField()


class KindPlanDocument(Document):
    """What would come back of one kind; the balances are null for a key that may not read the ledger."""

    lots = LotDocument(many=True)
    returns = ValueField()
    remains = ValueField()
    balance_before = ValueField(allow_null=True)
    balance_after = ValueField(allow_null=True)
    warnings = WarningDocument(many=True)


class EarnedPlanDocument(Document):
    """What a cancel takes back of the points that the order earned; what is missing is dropped, or owed."""

    takes = serializers.IntegerField()
    dropped = serializers.IntegerField()
    owed = serializers.IntegerField()
    from_own = serializers.IntegerField(help_text="The part that is taken from the order's present customer.")
    kept_by = serializers.CharField(allow_null=True, help_text="The skip tag that keeps them with the customer.")


class PlanDocument(Document):
    """What a cancel or a return would do."""

    order = OrderDocument(source="plan.order")
    credits = KindPlanDocument()
    points = KindPlanDocument()
    earned_points = EarnedPlanDocument(source="earned")
    skipped = SkipDocument(many=True)
    warnings = WarningDocument(many=True)
    preview_token = serializers.CharField(source="token")


def plan_json(shown: Preview, warnings: Sequence[OrderWarning], *, store: Store, balances: bool) -> JSON:
    """The plan of a preview; balances are null for a key that may not read the ledger."""
    kinds = {kind: _kind_plan(shown, kind, warnings, store=store, balances=balances) for kind in KINDS}
    skipped = [SkipDocument.of(skip) for skip in skips(shown.plan)]
    return PlanDocument.of(shown, **kinds, skipped=skipped, warnings=_warnings(warnings))


def _kind_plan(shown: Preview, kind: Kind, warnings: Sequence[OrderWarning], *, store: Store, balances: bool) -> JSON:
    plan = shown.plan.kinds[kind]
    currency = currency_of(shown.plan.order, kind)

    def balance(amounts: Mapping[Kind, Amount]) -> str | int | None:
        return value_json(amounts[kind], currency) if balances else None

    return KindPlanDocument.of(
        lots=[lot_json(kind, lot, store) | {"new_lot": None} for lot in plan.lots],
        returns=value_json(plan.returns, currency),
        remains=value_json(plan.remains, currency),
        balance_before=balance(shown.balance_before),
        balance_after=balance(shown.balance_after),
        warnings=_warnings([warning for warning in warnings if warning.kind == kind]),
    )


def _warnings(warnings: Sequence[OrderWarning]) -> list[JSON]:
    return [WarningDocument.of(warning) for warning in warnings]


class BulkResultDocument(Document):
    """What happened to one id."""

    id = serializers.CharField()
    status = serializers.ChoiceField(choices=["cancelled", "skipped", "failed"])
    code = serializers.CharField(allow_null=True)


class BulkAnswerDocument(Document):
    """What happened to each id that was sent."""

    results = BulkResultDocument(many=True)
