"""The shapes of :mod:`orders.api.redemptions.shapes` for the schema. Nothing is rendered with these."""

from rest_framework import serializers

from loyalty.api.answers.documents import Document
from loyalty.api.values import AmountTextField, DayField, IdField, InstantField
from orders.api.documents import LotDocument, NotificationDocument
from orders.models import PlatformState, RedemptionState, RequestState, RewardType
from orders.services.codes.on_platform import Asked


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


class RequestDocument(Document):
    """That the customer asked for a reversal, and what was answered."""

    id = IdField()
    redemption = IdField()
    state = serializers.ChoiceField(choices=RequestState.choices)
    reason = serializers.CharField(allow_blank=True)
    answer = serializers.CharField(allow_null=True)
    created_at = InstantField()
    answered_at = InstantField(allow_null=True)


class RedemptionDocument(Document):
    """Points that were exchanged; ``code`` is null for store credits, which are in ``credit_lot``.

    ``usable``: the code may be used now; for credits, that they were not reversed. ``request`` is the newest request
    for a reversal.
    """

    id = IdField()
    customer = IdField()
    reward = IdField()
    name = serializers.CharField()
    points = serializers.IntegerField()
    type = serializers.ChoiceField(choices=RewardType.choices)
    value = AmountTextField()
    currency = serializers.CharField(allow_null=True)
    code = serializers.CharField(allow_null=True)
    credit_lot = IdField(allow_null=True)
    state = serializers.ChoiceField(choices=RedemptionState.choices)
    platform_state = serializers.ChoiceField(choices=PlatformState.choices, allow_null=True)
    usable = serializers.BooleanField()
    expires_on = DayField(allow_null=True)
    expires_at = InstantField(allow_null=True)
    used_at = InstantField(allow_null=True)
    used_by_order = IdField(allow_null=True)
    created_at = InstantField()
    reversed_at = InstantField(allow_null=True)
    forced = serializers.BooleanField()
    points_returned = serializers.IntegerField()
    credits_taken = AmountTextField()
    request = RequestDocument(allow_null=True)


class ReversedDocument(RedemptionDocument):
    """What a reversal did; a repeat has no lots."""

    lots = LotDocument(many=True)
    platform_asked = serializers.ChoiceField(choices=[asked.value for asked in Asked])
    notification = NotificationDocument(allow_null=True)


class ReversalPlanDocument(Document):
    """What a reversal would do: which points return, how many stay spent, what is taken back of credits."""

    redemption = RedemptionDocument()
    lots = LotDocument(many=True)
    returns = serializers.IntegerField()
    remains = serializers.IntegerField()
    credits_taken = AmountTextField()
    credits_left = AmountTextField()
    balance_before = serializers.IntegerField(allow_null=True)
    balance_after = serializers.IntegerField(allow_null=True)
    preview_token = serializers.CharField()


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
    redemption = IdField()
    customer = IdField()
