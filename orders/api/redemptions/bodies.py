"""What requests about redemptions may say, and the verbs' arguments made of it."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from loyalty.api.values import Body, DayField, IdField, TextField, WholeNumberField, YesNoField
from orders.api.reverts.bodies import FURTHEST_EXTENSION, LONGEST_TOKEN, ExtensionBody
from orders.services.redemptions.reverse import ReversalAsk
from orders.services.reverts.choices import Extension


class RedemptionBody(Body):
    """Who redeems what."""

    customer = IdField()
    reward = IdField()


class ExtendPointsBody(Body):
    """Until when expired points come back: all of them (`days` or `expires_on`, or `points`), or single allocations."""

    days = WholeNumberField(least=1, most=FURTHEST_EXTENSION)
    expires_on = DayField(required=False)
    points = ExtensionBody(required=False)
    between_fields = {
        "not": {
            "anyOf": [
                {"required": [*two], "properties": {name: {} for name in two}}
                for two in (("days", "expires_on"), ("days", "points"), ("expires_on", "points"))
            ]
        }
    }
    allocations = serializers.DictField(child=ExtensionBody(), required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """At most one way of saying it for all."""
        ways = [name for name in ("days", "expires_on", "points") if name in attrs]
        if len(ways) > 1:
            raise serializers.ValidationError(_("Say one of “days”, “expires_on” and “points”."), code="invalid")
        return attrs


class ReverseBody(Body):
    """A reversal; a used code needs `force` and a reason."""

    reason = TextField(max_length=200, required=False)
    note = TextField(max_length=2000, allow_blank=True, required=False)
    extend = ExtendPointsBody(required=False)
    notify_customer = YesNoField(required=False)
    force = YesNoField(required=False)
    preview_token = TextField(max_length=LONGEST_TOKEN, required=False)


class RequestBody(Body):
    """What the customer says."""

    reason = TextField(max_length=200)


def ask_of(values: dict[str, Any]) -> ReversalAsk:
    """What a valid body asks of a reversal."""
    extend: dict[str, Any] = values.get("extend", {})
    whole: Extension | None = extend.get("points")
    if "days" in extend or "expires_on" in extend:
        whole = Extension(days=extend.get("days"), expires_on=extend.get("expires_on"))
    return ReversalAsk(
        extend=whole,
        extend_allocations=extend.get("allocations", {}),
        notify_customer=values.get("notify_customer"),
        reason=values.get("reason", ""),
        note=values.get("note", ""),
        force=values.get("force", False),
    )
