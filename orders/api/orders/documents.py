"""Orders, their timeline and what was decided about them, as answers show them."""

from typing import Final

from django.utils.translation import gettext as _
from rest_framework import serializers

from loyalty.api.answers.documents import JSON, ActorDocument, Document, actor_json
from loyalty.api.values import AmountField, IdField, InstantField
from loyalty.journal.models import JournalEntry
from loyalty.stores.actors import Trigger
from loyalty.stores.models import Store
from loyalty.timeline.sentences import sentence
from orders.kinds import KINDS
from orders.models import CancelReason, Completeness, OrderStatus, PaymentDetail, PaymentStatus, RevertStatus
from orders.services.rules.trace import DecisionOutcome, MatchedBy

TRIGGERS: Final = [trigger.value for trigger in Trigger]
# The contract has no word for money at a bank (E10).
PAYMENT_DETAILS: Final = [detail.value for detail in PaymentDetail if detail and detail is not PaymentDetail.AT_BANK]


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


class EntryDocument(Document):
    """One entry of a timeline; what ``data`` says depends on the event."""

    id = IdField()
    created_at = InstantField()
    event = serializers.CharField()
    actor = ActorDocument()
    data = serializers.DictField()  # type: ignore[assignment] # the metaclass takes it off the class


def entry_json(entry: JournalEntry, actor: str) -> JSON:
    """One entry of an order's timeline; its remark must be loaded with it. ``actor`` is a name for people."""
    note = entry.remark.note if entry.remark else ""
    data = entry.data | ({"note": note} if note else {})
    return EntryDocument.of(entry, actor=actor_json(entry.actor, actor), data=data)


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


def decision_json(entry: JournalEntry, store: Store) -> JSON:
    """One decision about one kind of an order (N6)."""
    facts = {name: entry.data[name] for name in ("kind", "trigger", "settings_version", "matched", "outcome", "code")}
    return DecisionDocument.of(entry, **facts, sentence=_("%(sentence)s.") % {"sentence": sentence(entry, store)})
