"""What a platform says was used there: shown as *not in this ledger* until it is recorded here (O5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import uuid4

from django.utils.translation import gettext as _

from loyalty.core.phrases import listed, sentences
from loyalty.ledger.ledger import Kind
from loyalty.ledger.planner import Amount
from loyalty.platforms.documents.read import as_amount, round_amount
from loyalty.platforms.registry import LABELS
from loyalty.stores.models import Store
from orders.admin.orders.preview_use import balance_words
from orders.kinds import KINDS, LEDGERS, currency_of, show
from orders.models import Order
from orders.services.intake.platform_state import OUTSIDE_TOTAL
from orders.services.intake.spend import can_be_recorded, used_directly


@dataclass(frozen=True, slots=True)
class Card:
    """The card on the order's page; ``fields`` are what one click sends, None where a person has to look first."""

    title: str
    words: str
    balances: list[str]
    submit: str
    fields: Mapping[str, str] | None


def said_there(order: Order) -> dict[Kind, Amount]:
    """How much the platform says was used there, by kind; without those of which it says nothing."""
    data = order.platform_data
    said: dict[Kind, Amount] = {
        "credits": as_amount(data.get("credits_used_there")) or Decimal(0),
        "points": int(as_amount(data.get("points_used_there")) or 0),
    }
    return {kind: amount for kind, amount in said.items() if amount > 0}


def worth(order: Order) -> Decimal:
    """What the order most likely came to before credits, to begin with: a person can say otherwise (O8)."""
    data = order.platform_data
    # Before the platforms' readers said how much, only SHOPLINE's orders named credits, and all of them were left out.
    outside = as_amount(data.get(OUTSIDE_TOTAL, data.get("credits_used_there"))) or Decimal(0)
    return order.total if order.total_named else round_amount(order.total + outside, order.currency)


def used_there_words(order: Order, store: Store) -> str:
    """The sentence about what was used there and is not recorded here; "" while the platform says nothing of it."""
    data = order.platform_data
    said = {kind: amount for kind, amount in said_there(order).items() if not used_directly(order, kind)}
    amounts = [show(amount, currency_of(order, kind), store) for kind, amount in said.items()]
    if "credits" not in said and data.get("some_credits_used_there") and not used_directly(order, "credits"):
        amounts.append(_("store credit (not saying how much)"))
    worth = as_amount(data.get("points_worth_there")) or Decimal(0)
    if "points" not in said and worth > 0 and not used_directly(order, "points"):
        amounts.append(
            _("points worth %(worth)s (not saying how many)") % {"worth": show(worth, order.currency, store)}
        )
    label = LABELS.get(order.platform, order.platform)
    if not amounts:
        return ""
    words = _("%(platform)s says that this order used %(amounts)s there.")
    return words % {"platform": label, "amounts": listed(amounts)}


def used_there_card(order: Order, store: Store, *, may_record: bool, now: datetime) -> Card | None:
    """The card, or None while the platform says nothing, or nothing that is not recorded here already."""
    words = used_there_words(order, store)
    if not words:
        return None
    label = LABELS.get(order.platform, order.platform)
    open_kinds = can_be_recorded(order)
    if not (may_record and open_kinds):
        return Card(_("Not in this ledger"), sentences([words, _stays(label)]), [], "", None)
    offered = {
        kind: amount
        for kind, amount in said_there(order).items()
        if kind in open_kinds and not used_directly(order, kind)
    }
    customer = order.customer
    balances = (
        [balance_words(customer, kind, currency_of(order, kind), store, now) for kind in offered] if customer else []
    )
    record = _(
        "If the customer spent it from the balance that is kept here, record it: it is taken from that balance, and "
        "comes back with the order. What is kept on %(platform)s itself comes back there only."
    ) % {"platform": label}
    enough = customer is not None and all(_has(order, kind, amount, now) for kind, amount in offered.items())
    amounts = listed(show(amount, currency_of(order, kind), store) for kind, amount in offered.items())
    return Card(
        title=_("Not in this ledger"),
        words=sentences([words, record]),
        balances=balances,
        submit=_("Record %(amounts)s") % {"amounts": amounts} if offered and enough else "",
        fields=_one_click(order, offered, label) if offered and enough else None,
    )


def _stays(label: str) -> str:
    return _("That value can only be returned on %(platform)s.") % {"platform": label}


def _has(order: Order, kind: Kind, amount: Amount, now: datetime) -> bool:
    key = (order.customer_id or 0, currency_of(order, kind))
    return LEDGERS[kind].available([key[0]], now=now).get(key, 0) >= amount


def _one_click(order: Order, said: Mapping[Kind, Amount], label: str) -> dict[str, str]:
    fields: dict[str, str] = {
        kind: f"{said[kind]:f}" if kind == "credits" else str(said[kind]) for kind in KINDS if kind in said
    }
    total = {"total": f"{worth(order):f}"} if "credits" in said else {}
    more = {
        "reason": _("Used on %(platform)s") % {"platform": label},
        "version": str(order.version),
        "once": uuid4().hex,
        "_confirm": "1",
    }
    return {**fields, **total, **more}
