"""What requests about orders may say, and what is made of it."""

from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from loyalty.api.values import (
    AmountField,
    Body,
    CurrencyField,
    EmailField,
    InstantField,
    PointsField,
    SlugField,
    TextField,
)
from loyalty.core.errors import FieldError, Invalid
from loyalty.core.instants import PLACED_AHEAD
from loyalty.core.values import check_amount, parse_id
from loyalty.customers.identify import CustomerFacts
from loyalty.ledger.ledger import Kind
from loyalty.stores.models import Store
from orders.kinds import KINDS
from orders.models import OrderStatus, PaymentStatus
from orders.services.intake.place import NewOrder

MOST_TAGS: Final = 250
MOST_LINES: Final = 1000
MOST_CODES: Final = 20


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
    ]
}


@extend_schema_field(_CUSTOMER)
class CustomerField(serializers.Field[Any, Any, Any, Any]):
    """A customer: an id, or who they are."""

    default_error_messages = {
        "invalid": gettext_lazy("A customer is an id such as “4711”, or an object that says who it is.")
    }

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
        FieldError(f"/{_applies(kind)}", "cancelled", _("A cancelled order takes nothing from the customer."))
        for kind in KINDS
        if values["status"] == OrderStatus.CANCELLED and values.get(_applies(kind))
    ]
    if errors:
        raise Invalid(errors=errors)


def _applies(kind: Kind) -> str:
    return f"apply_{kind}"
