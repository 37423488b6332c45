"""The two kinds of value an order can use, side by side."""

from typing import Final, cast

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from credits.ledger import CREDITS
from loyalty.core.money import format_amount, format_number
from loyalty.journal.record import Event
from loyalty.languages.own_names import name_of, own_words
from loyalty.ledger.ledger import Kind, Ledger, currency_for
from loyalty.ledger.planner import Amount
from loyalty.notices.voice import Voice
from loyalty.stores.models import Store
from orders.models import Order
from points.ledger import POINTS

LEDGERS: Final[dict[Kind, Ledger]] = {"credits": CREDITS, "points": POINTS}
KINDS: Final[tuple[Kind, ...]] = ("credits", "points")
_TITLES: Final[dict[Kind, str]] = {"credits": gettext_noop("Store credits"), "points": gettext_noop("Member points")}
# What a shop platform keeps itself, beside what is kept here: its messages.
OWN: Final[dict[Kind, str]] = {"credits": gettext_noop("credits"), "points": gettext_noop("points")}
REVERTED_EVENT: Final[dict[Kind, Event]] = {"credits": Event.CREDITS_REVERTED, "points": Event.POINTS_REVERTED}


def title_of(kind: Kind) -> str:
    """What a kind is called at the beginning of a sentence, or alone: ``Store credits``."""
    return own_words(_TITLES[kind])


def name_in(voice: Voice, kind: Kind) -> str:
    """What a letter of a store calls a kind inside a sentence: the store's own name, else ours."""
    return voice.words.name_of(kind) or name_of(kind)


def title_in(voice: Voice, kind: Kind) -> str:
    """As :func:`name_in`, at the beginning of a sentence or alone."""
    return voice.words.name_of(kind) or title_of(kind)


def applied(order: Order, kind: Kind) -> Amount:
    """How much of ``kind`` the order used."""
    return cast(Amount, getattr(order, f"{kind}_applied"))


def reverted(order: Order, kind: Kind) -> Amount:
    """How much of ``kind`` is back with the customer."""
    return cast(Amount, getattr(order, f"{kind}_reverted"))


def decision(order: Order, kind: Kind) -> str:
    """What was decided last about the part of ``kind`` that is not back (N4, B2); empty for nothing."""
    return cast(str, getattr(order, f"{kind}_decision"))


def revert_status(order: Order, kind: Kind) -> str:
    """The revert status of ``kind`` that the database made (O3); empty for none."""
    return (order.credit_revert_status if kind == "credits" else order.points_revert_status) or ""


def currency_of(order: Order, kind: Kind) -> str:
    """The currency of ``kind`` on this order; points have none."""
    return currency_for(kind, order.currency)


def allocation_ref(kind: Kind, allocation_id: int) -> str:
    """An allocation's id for the outside: the two kinds count separately, so the first letter tells them apart."""
    return f"{kind[0]}{allocation_id}"


def show(amount: Amount, currency: str, store: Store) -> str:
    """An amount for people, in the store's locale (T4): ``15.00 USD`` or, without a currency, ``100 points``."""
    return format_amount(amount, currency, store.written_in)


def show_number(amount: Amount, currency: str, store: Store) -> str:
    """As :func:`show`, without the unit: ``15.00`` or ``100``."""
    return format_number(amount, currency, store.written_in)


def partly_reverted(back: str, used: str) -> str:
    """The revert status of a kind of which a part is back, as the screens have it (O3)."""
    return _("Reverted (%(back)s of %(used)s)") % {"back": back, "used": used}
