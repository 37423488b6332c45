"""Words that sentences about the journal share."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from loyalty.core.money import format_amount
from loyalty.stores.models import Store

# What tells of one kind of event, out of its data.
Tell = Callable[[dict[str, Any], Store], str]

_TRIGGERS: Final = {
    "admin": "by hand",
    "api": "through the REST API",
    "bulk": "together with others",
    "payment_expired": "because the payment expired",
    "payment_failed": "because the payment failed",
    "rule_status": "by a rule about the status",
    "rule_tag": "by a rule about a tag",
    "platform": "on the shop platform",
}


def trigger_words(trigger: str) -> str:
    """What caused something, such as ``by hand``."""
    return _TRIGGERS.get(trigger, trigger)


def amount_words(value: Any, currency: str, store: Store) -> str:
    """An amount out of an entry's data; without a currency it is points."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    return format_amount(number, currency, store.written_in)


def fixed(words: str) -> Tell:
    """The same words whatever the data."""
    return lambda data, store: words
