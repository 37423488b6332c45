"""What requests about cancelling, returning and undoing may say, and the verbs' arguments made of it."""

from typing import Any, Final

from django.utils.translation import gettext as _
from rest_framework import serializers

from loyalty.api.values import Body, DayField, TextField, WholeNumberField, YesNoField
from orders.kinds import KINDS
from orders.models import CancelReason, OrderStatus
from orders.services.reverts.apply import Details
from orders.services.reverts.choices import CancelChoice, Extension
from orders.services.reverts.reinstate import Deduct

# What a store's own limit can be at most (M3).
FURTHEST_EXTENSION: Final = 3660
MOST_CANCELLED: Final = 500
LONGEST_TOKEN: Final = 100_000


class ExtensionBody(Body):
    """A new expiry: a number of days from today, or the last day of use."""

    days = WholeNumberField(least=1, most=FURTHEST_EXTENSION)
    expires_on = DayField(required=False)
    between_fields = {"minProperties": 1, "maxProperties": 1}

    def validate(self, attrs: dict[str, Any]) -> Extension:
        """Exactly one of the two."""
        if len(attrs) != 1:
            raise serializers.ValidationError(_("Say either “days” or “expires_on”."), code="invalid")
        return Extension(**attrs)


class ExtendBody(Body):
    """What expired value comes back until when: a whole kind, or single allocations."""

    credits = ExtensionBody(required=False)
    points = ExtensionBody(required=False)
    allocations = serializers.DictField(child=ExtensionBody(), required=False)


class CancelBody(Body):
    """A cancel, a return, or the preview of one."""

    reason = serializers.ChoiceField(choices=CancelReason.choices, required=False)
    note = TextField(max_length=2000, allow_blank=True, required=False)
    revert_credits = YesNoField(required=False)
    revert_points = YesNoField(required=False)
    extend = ExtendBody(required=False)
    notify_customer = YesNoField(required=False)
    preview_token = TextField(max_length=LONGEST_TOKEN, required=False)


def choice_of(values: dict[str, Any]) -> CancelChoice:
    """What a valid cancel body chose."""
    extend = values.get("extend", {})
    return CancelChoice(
        returns={kind: values[f"revert_{kind}"] for kind in KINDS if f"revert_{kind}" in values},
        extend={kind: extend[kind] for kind in KINDS if kind in extend},
        extend_allocations=extend.get("allocations", {}),
    )


def details_of(values: dict[str, Any]) -> Details:
    """What a valid cancel body said beside the choice."""
    return Details(
        reason=values.get("reason", ""),
        note=values.get("note", ""),
        notify_customer=values.get("notify_customer", False),
    )


class ReinstateBody(Body):
    """What an order comes back as, and how much of what was returned is taken again."""

    status = serializers.ChoiceField(
        choices=[choice for choice in OrderStatus.choices if choice[0] != OrderStatus.CANCELLED]
    )
    deduct = serializers.ChoiceField(choices=[deduct.value for deduct in Deduct], default=Deduct.NONE)


class DismissBody(Body):
    """Why what is left is not returned."""

    reason = TextField(max_length=200)


class UndoBody(Body):
    """Why a return is undone."""

    reason = TextField(max_length=200, required=False)


class BulkCancelBody(Body):
    """The orders to be cancelled."""

    ids = serializers.ListField(child=TextField(max_length=100), max_length=MOST_CANCELLED)
