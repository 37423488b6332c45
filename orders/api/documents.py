"""The shapes of :mod:`orders.api.shapes` for the schema. Nothing is rendered with these."""

from typing import Any, Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from loyalty.api.answers.documents import ActorDocument, Document
from loyalty.api.values import AmountField, DayField, IdField, InstantField
from loyalty.ledger.planner import Outcome
from loyalty.notices.models import NoticeStatus
from loyalty.stores.actors import Trigger
from orders.api.shapes import PAYMENT_DETAILS
from orders.kinds import KINDS
from orders.models import CancelReason, Completeness, OrderStatus, PaymentStatus, RevertStatus
from orders.services.rules.trace import DecisionOutcome, MatchedBy

TRIGGERS: Final = [trigger.value for trigger in Trigger]


class CustomerDocument(Document):
    """Whose order it is."""

    id = IdField()
    email = serializers.CharField(allow_blank=True)
    name = serializers.CharField(allow_blank=True)


class OrderCodeDocument(Document):
    """A code issued here that the order came with; no points when another order had used it, or they were back."""

    redemption = IdField()
    code = serializers.CharField()
    points = serializers.IntegerField(help_text="How many points the order used by it.")


class OrderDocument(Document):
    """An order."""

    id = IdField()
    number = serializers.CharField()
    external_id = serializers.CharField(allow_null=True)
    platform = serializers.CharField()
    customer = CustomerDocument(allow_null=True)
    status = serializers.ChoiceField(choices=OrderStatus.choices)
    payment_status = serializers.ChoiceField(choices=PaymentStatus.choices)
    payment_detail = serializers.ChoiceField(choices=PAYMENT_DETAILS, allow_null=True)
    payment_due_at = InstantField(allow_null=True)
    placed_at = InstantField()
    currency = serializers.CharField()
    total = AmountField()
    refunded_total = AmountField()
    tags = serializers.ListField(child=serializers.CharField())
    codes = OrderCodeDocument(many=True)
    credits_applied = AmountField()
    credits_reverted = AmountField()
    credit_revert_status = serializers.ChoiceField(choices=RevertStatus.choices, allow_null=True)
    points_applied = serializers.IntegerField()
    points_reverted = serializers.IntegerField()
    points_revert_status = serializers.ChoiceField(choices=RevertStatus.choices, allow_null=True)
    completeness = serializers.ChoiceField(choices=Completeness.choices, allow_null=True)
    points_earned = serializers.IntegerField()
    points_taken_back = serializers.IntegerField()
    cancelled_at = InstantField(allow_null=True)
    cancelled_by = serializers.ChoiceField(choices=TRIGGERS, allow_null=True)
    cancel_reason = serializers.ChoiceField(choices=CancelReason.choices, allow_null=True)
    held_at = InstantField(allow_null=True)
    platform_deleted_at = InstantField(allow_null=True)
    is_test = serializers.BooleanField()
    created_at = InstantField()
    updated_at = InstantField()


@extend_schema_field({"oneOf": [{"type": "string", "examples": ["50.00"]}, {"type": "integer", "examples": [100]}]})
class ValueField(serializers.Field[Any, Any, Any, Any]):
    """An amount of either kind: credits are a decimal text, points an integer."""


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

    order = IdField()
    customer = IdField()
    currency = serializers.CharField(allow_null=True)
    actor = ActorDocument()
    created_at = InstantField()
    undo = UndoDocument(allow_null=True)


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
    notification = NotificationDocument(allow_null=True)


class DeductedDocument(Document):
    """What was taken again of each kind; zero for nothing."""

    credits = AmountField()
    points = serializers.IntegerField()


class ReinstateAnswerDocument(Document):
    """What reinstating did."""

    order = OrderDocument()
    deducted = DeductedDocument()


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

    order = OrderDocument()
    credits = KindPlanDocument()
    points = KindPlanDocument()
    earned_points = EarnedPlanDocument()
    skipped = SkipDocument(many=True)
    warnings = WarningDocument(many=True)
    preview_token = serializers.CharField()


class BulkResultDocument(Document):
    """What happened to one id."""

    id = serializers.CharField()
    status = serializers.ChoiceField(choices=["cancelled", "skipped", "failed"])
    code = serializers.CharField(allow_null=True)


class BulkAnswerDocument(Document):
    """What happened to each id that was sent."""

    results = BulkResultDocument(many=True)


class EntryDocument(Document):
    """One entry of a timeline; what ``data`` says depends on the event."""

    id = IdField()
    created_at = InstantField()
    event = serializers.CharField()
    actor = ActorDocument()

    def get_fields(self) -> dict[str, Any]:
        """All members; ``data`` cannot be declared above, because a serializer has something of that name."""
        return {**super().get_fields(), "data": serializers.DictField()}


class MatchedDocument(Document):
    """The fact that decided: a status or tag, a setting by its path; null when nothing matched."""

    by = serializers.ChoiceField(choices=[by.value for by in MatchedBy], allow_null=True)
    value = serializers.CharField(allow_null=True)


class DecisionDocument(Document):
    """One decision about one kind of an order; ``code`` says why it, or a part of it, did not come back."""

    id = IdField()
    created_at = InstantField()
    kind = serializers.ChoiceField(choices=KINDS)
    trigger = serializers.ChoiceField(choices=TRIGGERS)
    settings_version = serializers.IntegerField()
    matched = MatchedDocument()
    outcome = serializers.ChoiceField(choices=[outcome.value for outcome in DecisionOutcome])
    code = serializers.CharField(allow_null=True)
    sentence = serializers.CharField()
