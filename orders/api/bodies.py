"""What requests about orders may say, and the verbs' arguments made of it."""

from datetime import datetime
from typing import Any, Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from loyalty.api.values import (
    AmountField,
    Body,
    CurrencyField,
    DayField,
    EmailField,
    InstantField,
    PointsField,
    SlugField,
    TextField,
    WholeNumberField,
    YesNoField,
)
from loyalty.core.errors import FieldError, Invalid
from loyalty.core.instants import PLACED_AHEAD
from loyalty.core.values import check_amount, parse_id
from loyalty.ledger.ledger import Kind
from loyalty.stores.identify import CustomerFacts
from loyalty.stores.models import Store
from orders.kinds import KINDS
from orders.models import CancelReason, OrderStatus, PaymentStatus
from orders.services.intake.place import NewOrder
from orders.services.reverts.apply import Details
from orders.services.reverts.choices import CancelChoice, Extension
from orders.services.reverts.reinstate import Deduct

# What a store's own limit can be at most (M3).
FURTHEST_EXTENSION: Final = 3660
MOST_TAGS: Final = 250
MOST_LINES: Final = 1000
MOST_CODES: Final = 20
MOST_CANCELLED: Final = 500
_LONGEST_TOKEN: Final = 100_000


class ExtensionBody(Body):
    """A new expiry: a number of days from today, or the last day of use."""

    days = WholeNumberField(least=1, most=FURTHEST_EXTENSION)
    expires_on = DayField(required=False)
    between_fields = {"minProperties": 1, "maxProperties": 1}

    def validate(self, attrs: dict[str, Any]) -> Extension:
        """Exactly one of the two."""
        if len(attrs) != 1:
            raise serializers.ValidationError("Say either “days” or “expires_on”.", code="invalid")
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
    preview_token = TextField(max_length=_LONGEST_TOKEN, required=False)


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


class CustomerBody(Body):
    """Who placed an order, when the client has no id for them."""

    external_id = TextField(max_length=100, required=False, allow_null=True)
    email = EmailField(max_length=254)
    name = TextField(max_length=200, allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> CustomerFacts:
        """The facts by which the customer is found or made."""
        return CustomerFacts(external_id=attrs.get("external_id"), email=attrs["email"], name=attrs["name"])


_CUSTOMER: Final = {
    "oneOf": [
        {"type": "string", "description": "The customer's id.", "examples": ["4711"]},
        {
            "type": "object",
            "required": ["email", "name"],
            "additionalProperties": False,
            "properties": {
                "external_id": {
                    "type": ["string", "null"],
                    "minLength": 1,
                    "maxLength": 100,
                    "description": "The store's own id of the customer, whatever the order's platform.",
                },
                "email": EmailField(max_length=254).described(),
                "name": {"type": "string", "maxLength": 200},
            },
        },
        {"type": "null", "description": "Nobody is known."},
    ]
}


@extend_schema_field(_CUSTOMER)
class CustomerField(serializers.Field[Any, Any, Any, Any]):
    """A customer: an id, or who they are."""

    default_error_messages = {"invalid": "A customer is an id such as “4711”, or an object that says who it is."}

    def to_internal_value(self, data: Any) -> int | CustomerFacts:
        """The id (0 for one that nobody can have), or the facts."""
        if isinstance(data, str):
            return parse_id(data) or 0
        if not isinstance(data, dict):
            self.fail("invalid")
        facts: CustomerFacts = CustomerBody().run_validation(data)
        return facts


class LineBody(Body):
    """One line of an order; ``total`` is for the whole quantity."""

    title = TextField(max_length=255)
    sku = TextField(max_length=255, allow_blank=True, default="")
    quantity = PointsField()
    total = AmountField(allow_negative=True)


def _tags() -> serializers.ListField:
    return serializers.ListField(child=TextField(max_length=255), max_length=MOST_TAGS, required=False)


class NewOrderBody(Body):
    """An order to be recorded, with what it spends."""

    number = TextField(max_length=100)
    external_id = TextField(max_length=100, required=False, allow_null=True)
    platform = SlugField(max_length=20, default="api")
    customer = CustomerField(allow_null=True)
    placed_at = InstantField(ahead=PLACED_AHEAD, required=False)
    total = AmountField()
    currency = CurrencyField(required=False)
    tags = _tags()
    status = serializers.ChoiceField(choices=OrderStatus.choices, default=OrderStatus.PENDING)
    payment_status = serializers.ChoiceField(choices=PaymentStatus.choices, default=PaymentStatus.PENDING)
    payment_due_at = InstantField(required=False, allow_null=True)
    lines = serializers.ListField(child=LineBody(), max_length=MOST_LINES, required=False)
    apply_credits = AmountField(required=False)
    apply_points = PointsField(required=False)
    codes = serializers.ListField(
        child=TextField(max_length=40),
        max_length=MOST_CODES,
        required=False,
        help_text="Codes of redemptions that the order came with: it used their points.",
    )


class ChangesBody(Body):
    """What may be changed on an order from outside."""

    tags = _tags()
    status = serializers.ChoiceField(choices=OrderStatus.choices, required=False)
    payment_status = serializers.ChoiceField(choices=PaymentStatus.choices, required=False)
    payment_due_at = InstantField(required=False, allow_null=True)
    refunded_total = AmountField(required=False)


def new_order_of(values: dict[str, Any], *, store: Store, now: datetime) -> NewOrder:
    """The order that a valid body describes.

    Raises Invalid at the pointer of an amount that does not fit the currency, and for value applied to a cancelled
    order.
    """
    defaults: dict[str, Any] = {"currency": store.currency, "placed_at": now}
    values = defaults | values
    currency: str = values["currency"]
    for name in ("total", "apply_credits"):
        if name in values:
            values[name] = check_amount(values[name], currency, f"/{name}")
    if "lines" in values:
        values["lines"] = [_line(line, currency, index) for index, line in enumerate(values["lines"])]
    _refuse_spending_cancelled(values)
    return NewOrder(**values)


def _line(line: dict[str, Any], currency: str, index: int) -> dict[str, Any]:
    total = check_amount(line["total"], currency, f"/lines/{index}/total")
    return line | {"total": f"{total:f}"}


def _refuse_spending_cancelled(values: dict[str, Any]) -> None:
    errors = [
        FieldError(f"/{_applies(kind)}", "cancelled", "A cancelled order takes nothing from the customer.")
        for kind in KINDS
        if values["status"] == OrderStatus.CANCELLED and values.get(_applies(kind))
    ]
    if errors:
        raise Invalid(errors=errors)


def _applies(kind: Kind) -> str:
    return f"apply_{kind}"
