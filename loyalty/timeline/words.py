"""Words that sentences about the journal share."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, pgettext

from loyalty.core.money import format_amount
from loyalty.core.phrases import enumerated
from loyalty.languages.own_names import own_words
from loyalty.stores.models import Store

# What tells of one kind of event, out of its data.
Tell = Callable[[dict[str, Any], Store], str]

_TRIGGERS: Final = {
    "admin": gettext_noop("by hand"),
    "api": gettext_noop("through the REST API"),
    "bulk": gettext_noop("together with others"),
    "payment_expired": gettext_noop("because the payment expired"),
    "payment_failed": gettext_noop("because the payment failed"),
    "rule_status": gettext_noop("by a rule about the status"),
    "rule_tag": gettext_noop("by a rule about a tag"),
    "platform": gettext_noop("on the shop platform"),
}
# Words that entries hold as facts: statuses, roles, whom a second factor is asked of.
_VALUES: Final = {
    "pending": gettext_noop("pending"),
    "confirmed": gettext_noop("confirmed"),
    "completed": gettext_noop("completed"),
    "cancelled": gettext_noop("cancelled"),
    "paid": gettext_noop("paid"),
    "failed": gettext_noop("failed"),
    "expired": gettext_noop("expired"),
    "partially_refunded": gettext_noop("partially refunded"),
    "refunded": gettext_noop("refunded"),
    "owner": gettext_noop("owner"),
    "manager": gettext_noop("manager"),
    "support": gettext_noop("support"),
    "viewer": gettext_noop("viewer"),
    "nobody": gettext_noop("nobody"),
    "managers": gettext_noop("managers"),
    "everybody": gettext_noop("everybody"),
}


def trigger_words(trigger: str) -> str:
    """What caused something, such as ``by hand``."""
    return _(_TRIGGERS[trigger]) if trigger in _TRIGGERS else trigger


def amount_words(value: Any, currency: str, store: Store) -> str:
    """An amount out of an entry's data; without a currency it is points."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    return format_amount(number, currency, store.written_in)


def value_words(value: Any, field: str = "") -> str:
    """A value out of an entry's data, such as a status or tags; ``nothing`` for none.

    ``field`` says what it is a value of: a payment that is pending is called otherwise than such an order.
    """
    if (field, value) == ("payment_status", "pending"):
        return pgettext("payment", "pending")
    if isinstance(value, list):
        return enumerated(map(str, value)).replace("_", " ") or _("nothing")
    known = _VALUES.get(value) if isinstance(value, str) else None
    words = str(value if value is not None else "").replace("_", " ")
    return _(known) if known else words or _("nothing")


def fixed(message: str) -> Tell:
    """The same message whatever the data."""
    return lambda data, store: own_words(message)
