"""The journal as sentences for people (H2)."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.urls import reverse

from loyalty.journal.models import JournalEntry
from loyalty.journal.record import Event
from loyalty.ledger.ledger import currency_for
from loyalty.platforms.registry import LABELS
from loyalty.stores.actors import actor_names
from loyalty.stores.dates import show_moment
from loyalty.stores.models import Store
from loyalty.timeline.redemption_sentences import REDEMPTION_SENTENCES
from loyalty.timeline.words import Tell, amount_words, fixed, trigger_words

_BY_HAND: Final = ("admin", "api", "bulk")
# What is said about the part that stayed, when another part came back.
_RESTS: Final = {"expired": ", the rest had expired"}
# Why nothing came back, by the codes of the REST contract: when a person decided it, and when automation did.
_DECIDED: Final = {
    "declined": "Decided not to return {left}",
    "not_selected": "Left returning {left} for later",
    "expired": "Returned nothing: {left} had expired and were not extended",
    "already_reverted": "Returned nothing: everything is already back",
}
_REASONS: Final = {
    "declined": "Did not return {left} {caused}: somebody had decided against it",
    "not_selected": "Left {left} for later, {caused}",
    "expired": "Did not return {left} {caused}: they had expired",
    "blocked": "Did not return {left} {caused}: a part had expired, and this store returns all or nothing then",
    "skip_tag": "Did not return {left} {caused}: the tag “{value}” keeps them from being returned automatically",
    "already_reverted": "Returned nothing {caused}: everything is already back",
    "rules_disabled": "Did not return {left}: this store's rules are switched off",
    "no_trigger": "Did not return {left}: no status and no tag of the order is one that returns value",
    "not_applied": "Returned nothing {caused}: the order used none",
}
# What rules say where the same code would mislead.
_RULES: Final = {
    "kinds": "Did not return {left}: the rules leave this kind alone",
    "deferred": "Did not return {left}: they had been left for later, and nothing new that triggers has come since",
    "share": "Returned nothing {caused}: the share of what was refunded is already back",
    "no_share": "Did not return {left} {caused}: the share of what was refunded is nothing",
    "elsewhere": "Did not return {left}: order {value}, which it was split from or into, has its value back",
}
# Why automation does not act on an order at all (E10).
_UNACTED: Final = {
    "test_order": "Did not return {left}: this is a test order, and nothing acts on it",
    "paid_before": (
        "Did not return {left}: the order was paid or completed before and now its payment says failed, "
        "so somebody has to look at it"
    ),
}
_WEBHOOK_CHANGES: Final = {
    "created": "Webhook endpoint added",
    "changed": "Webhook endpoint changed",
    "rotated": "Webhook endpoint given a new secret",
    "enabled": "Webhook endpoint switched on",
    "disabled": "Webhook endpoint switched off",
    "removed": "Webhook endpoint removed",
}
_BECAUSE: Final = {"failing": ": it had failed for five days", "gone": ": it answered that it is gone"}
_FIELDS: Final = {
    "status": "status",
    "payment_status": "payment",
    "tags": "tags",
    "refunded_total": "refunded",
    "payment_detail": "of the payment",
    "payment_due_at": "payment due",
    "total": "total",
    "customer_id": "customer",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a timeline."""

    words: str
    when: str
    who: str
    remark: str = ""
    link: str = ""
    link_words: str = ""


def lines_of(entries: Sequence[JournalEntry], store: Store, *, with_order: bool = False) -> list[Line]:
    """The entries of one store as lines; two queries at most, for the names of who acted and whom it was about."""
    names = actor_names(ref for entry in entries for ref in (entry.actor, entry.data.get("member")) if ref)
    return [_line(entry, names, store, with_order=with_order) for entry in entries]


def sentence(entry: JournalEntry, store: Store) -> str:
    """What happened, in one sentence. What another version of the program wrote is told by its name (L8)."""
    with suppress(LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
        return _SENTENCES[entry.event](entry.data, store)
    return entry.event.replace(".", " ").replace("_", " ").capitalize()


def _line(entry: JournalEntry, names: dict[str, str], store: Store, *, with_order: bool) -> Line:
    order = entry.order if with_order else None
    remark = entry.remark
    member = entry.data.get("member")
    return Line(
        words=f"{sentence(entry, store)}: {names[member]}" if member else sentence(entry, store),
        when=show_moment(entry.created_at, store),
        who=names[entry.actor],
        remark=". ".join(filter(None, (remark.reason, remark.note))) if remark else "",
        link=reverse("admin:orders_order_change", args=[order.pk]) if order else "",
        link_words=f"Order {order}" if order else "",
    )


def _created(data: dict[str, Any], store: Store) -> str:
    return f"Order recorded as {data.get('status', 'pending')}, payment {data.get('payment_status', 'pending')}"


def _updated(data: dict[str, Any], store: Store) -> str:
    changes = [
        f"{_FIELDS.get(name, name)} from {_value(change.get('from'))} to {_value(change.get('to'))}"
        for name, change in data.items()
        if isinstance(change, dict)
    ]
    return f"Changed {', '.join(changes)}" if changes else "Order updated"


def _value(value: Any) -> str:
    words = ", ".join(map(str, value)) if isinstance(value, list) else str(value if value is not None else "")
    return words.replace("_", " ") or "nothing"


def _id_unclear(data: dict[str, Any], store: Store) -> str:
    sources = ", ".join(LABELS.get(name, name) for name in data.get("sources", ()))
    return f"The external id stayed as it was: orders from {sources} named it, and it may be one platform's id"


def _merged(data: dict[str, Any], store: Store) -> str:
    moved = [amount_words(points, "", store) for points in [data.get("points")] if points]
    moved += [amount_words(credits, currency, store) for currency, credits in data.get("credits", {}).items()]
    brought = f", who brought {' and '.join(moved)}" if moved else ""
    return f"Customer {data.get('customer')} was merged into this one{brought}"


def _merged_away(data: dict[str, Any], store: Store) -> str:
    return f"Merged into customer {data.get('customer')}, with everything that was there"


def _spent(data: dict[str, Any], store: Store) -> str:
    if data.get("trigger") == "admin":
        return f"Recorded by staff: the order used {_both(data, store)}"
    return f"Paid with {_both(data, store)}"


def _both(data: dict[str, Any], store: Store) -> str:
    parts = [
        amount_words(data[kind], currency_for(kind, data.get("currency", "")), store)
        for kind in ("credits", "points")
        if kind in data
    ]
    return " and ".join(parts)


def _cancelled(data: dict[str, Any], store: Store) -> str:
    return f"Order cancelled {trigger_words(data.get('trigger', ''))}"


def _reinstated(data: dict[str, Any], store: Store) -> str:
    words = f"Order brought back as {_value(data.get('status'))} {trigger_words(data.get('trigger', ''))}"
    return words if data.get("deducts") else f"{words}, nothing was deducted again"


def _deducted_again(data: dict[str, Any], store: Store) -> str:
    return f"Deducted {_both(data, store)} again {trigger_words(data.get('trigger', ''))}"


def _reverted(data: dict[str, Any], store: Store) -> str:
    currency = data["currency"]
    back, of = (amount_words(data[name], currency, store) for name in ("amount", "applied"))
    rest = _RESTS.get(data["code"], "")
    return f"Returned {back} of {of} {_caused(data)}{rest}"


def _skipped(data: dict[str, Any], store: Store) -> str:
    return _why_not(data).format(left=left_words(data, store), caused=_caused(data), value=data["matched"]["value"])


def left_words(data: dict[str, Any], store: Store) -> str:
    """What a decision about one kind left with the shop, such as ``15.00 USD of store credits``."""
    left = amount_words(data["remains"], data["currency"], store)
    return f"{left} of store credits" if data["kind"] == "credits" else left


def _why_not(data: dict[str, Any]) -> str:
    if data["matched"]["by"] == "person" and data["trigger"] in _BY_HAND:
        return _DECIDED[data["code"]]
    if data["matched"]["by"] is None and data["matched"]["value"] in _UNACTED:
        return _UNACTED[data["matched"]["value"]]
    special = _of_rules(data) if data["trigger"] in ("rule_status", "rule_tag") else ""
    return _RULES.get(special, _REASONS[data["code"]])


def _of_rules(data: dict[str, Any]) -> str:
    by, value, code = data["matched"]["by"], data["matched"]["value"], data["code"]
    if code == "not_selected":
        return "kinds" if value == "spent_revert.kinds" else "deferred"
    if code == "already_reverted" and Decimal(str(data["remains"])):
        return "share" if by else "elsewhere"
    return "no_share" if code == "no_trigger" and by else ""


def _caused(data: dict[str, Any]) -> str:
    by, value = data["matched"]["by"], data["matched"]["value"]
    if by in ("status", "tag"):
        return f"because of the {by} “{_value(value)}”"
    return trigger_words(data["trigger"])


def _earned(data: dict[str, Any], store: Store) -> str:
    return f"Earned {amount_words(data['points'], '', store)}"


def _not_earned(data: dict[str, Any], store: Store) -> str:
    points = amount_words(data.get("points", 0), "", store)
    return f"Earned nothing: {points} by the rule, but whoever changed the order may not give points"


def _taken_back(data: dict[str, Any], store: Store) -> str:
    words = f"Took back {amount_words(data['points'], '', store)} that the order had earned{_decided_by(data)}"
    return f"{words}; {amount_words(data['dropped'], '', store)} were not there any more" if data["dropped"] else words


def _decided_by(data: dict[str, Any]) -> str:
    """The status or tag behind it; entries of earlier releases do not say."""
    matched = data.get("matched", {})
    by = matched.get("by")
    return f" because of the {by} “{_value(matched['value'])}”" if by in ("status", "tag") else ""


def _given_again(data: dict[str, Any], store: Store) -> str:
    return f"Gave {amount_words(data['points'], '', store)} again that the order earns"


def _undone(data: dict[str, Any], store: Store) -> str:
    taken = amount_words(data["amount"], data["currency"], store)
    return f"Undid a return {trigger_words(data['trigger'])}: took back {taken}, which no automation returns again"


def _balance(data: dict[str, Any], store: Store) -> str:
    amount = str(data.get("amount", "0"))
    verb = "Removed" if amount.startswith("-") else "Gave"
    return f"{verb} {amount_words(amount.removeprefix('-'), data.get('currency', ''), store)}"


def _webhook(data: dict[str, Any], store: Store) -> str:
    because = _BECAUSE.get(data["because"], "") if data["change"] == "disabled" else ""
    return f"{_WEBHOOK_CHANGES[data['change']]}{because}"


def _about_the_rest(words: str) -> Tell:
    return lambda data, store: words.format(left=left_words(data, store))


def _reward(data: dict[str, Any], store: Store) -> str:
    terms = data.get("terms", {})
    if set(terms) == {"active"}:
        return f"Reward “{data.get('name', '')}” is {'offered' if terms['active'] else 'offered no more'}"
    return f"Reward “{data.get('name', '')}” changed: {', '.join(name.replace('_', ' ') for name in terms)}"


def _staff(words: str) -> Tell:
    return lambda data, store: words.format(
        role=data.get("role", ""), old=_value(data.get("from")), new=_value(data.get("to"))
    )


def _platform(words: str) -> Tell:
    return lambda data, store: words.format(LABELS.get(data.get("platform", ""), "the shop platform"))


def _cancelled_there(data: dict[str, Any], store: Store) -> str:
    label = LABELS.get(data.get("platform", ""), "the shop platform")
    kinds = data.get("give_back", [])
    back = f"it was asked to return its own {' and '.join(kinds)}" if kinds else "nothing was given back there"
    return f"Order cancelled on {label} too; {back}"


def _tagged_there(data: dict[str, Any], store: Store) -> str:
    return (
        f"Tag “{data.get('tag', '')}” put on the order on {LABELS.get(data.get('platform', ''), 'the shop platform')}"
    )


def _not_told(data: dict[str, Any], store: Store) -> str:
    what = "tagged" if data.get("what") == "tag" else "cancelled"
    label = LABELS.get(data.get("platform", ""), "the shop platform")
    return f"The order could not be {what} on {label}. {data.get('reason', '')}"


_SENTENCES: Final[dict[str, Tell]] = {
    Event.ORDER_CREATED: _created,
    Event.ORDER_UPDATED: _updated,
    Event.PAYMENT_ATTEMPT_FAILED: fixed("An attempt to pay failed; another one may still pay the order"),
    Event.ORDER_SPENT: _spent,
    Event.ORDER_CANCELLED: _cancelled,
    Event.ORDER_HELD: fixed("Held: not cancelled automatically until it is released"),
    Event.ORDER_RELEASED: fixed("Released: may be cancelled automatically again"),
    Event.CREDITS_REVERTED: _reverted,
    Event.POINTS_REVERTED: _reverted,
    Event.REVERT_SKIPPED: _skipped,
    Event.ORDER_REINSTATED: _reinstated,
    Event.DEDUCTED_AGAIN: _deducted_again,
    Event.REVERT_UNDONE: _undone,
    Event.REVERT_DISMISSED: _about_the_rest("Dismissed: {left} will not be returned"),
    Event.REVERT_WAITS_AGAIN: _about_the_rest("Back in the queue: somebody has to decide about {left}"),
    Event.MARKED_FOR_REFUND: fixed("Stays cancelled; the late payment is to be refunded"),
    Event.POINTS_EARNED: _earned,
    Event.POINTS_NOT_EARNED: _not_earned,
    Event.POINTS_TAKEN_BACK: _taken_back,
    Event.POINTS_GIVEN_AGAIN: _given_again,
    Event.BALANCE_CHANGED: _balance,
    Event.NOTICE_QUEUED: fixed("Message to the customer waits to be sent"),
    Event.NOTICE_SENT: fixed("Message to the customer sent"),
    Event.NOTICE_FAILED: fixed("Message to the customer could not be sent"),
    Event.NOTICE_WITHDRAWN: fixed("Message to the customer withdrawn before it was sent"),
    Event.SETTINGS_CHANGED: fixed("Settings changed"),
    Event.TAGGED_THERE: _tagged_there,
    Event.CANCELLED_THERE: _cancelled_there,
    Event.NOT_WRITTEN_BACK: _not_told,
    Event.WEBHOOK_CHANGED: _webhook,
    Event.ORDER_DELETED_THERE: fixed("Order deleted on the shop platform; it stays here with what it used"),
    Event.ORDER_RESTORED_THERE: fixed("Order brought back on the shop platform"),
    Event.PLATFORM_CONNECTED: _platform("Connection to {} saved"),
    Event.PLATFORM_DISCONNECTED: _platform("Disconnected from {}"),
    Event.PLATFORM_UNINSTALLED: _platform("The shop uninstalled the app on {}"),
    Event.SIGNING_CHANGED: _platform("New webhook secret for {}"),
    Event.CUSTOMER_ERASED: fixed("Personal data erased"),
    Event.CUSTOMER_ID_UNCLEAR: _id_unclear,
    Event.CUSTOMER_MERGED: _merged,
    Event.CUSTOMER_MERGED_AWAY: _merged_away,
    Event.DATA_REQUESTED: fixed("Asked through the shop platform which data are kept"),
    Event.STAFF_INVITED: _staff("Invited somebody to work here as {role}"),
    Event.STAFF_INVITED_AGAIN: _staff("Sent the invitation to work here as {role} again"),
    Event.INVITATION_WITHDRAWN: _staff("Withdrew the invitation to work here as {role}"),
    Event.STAFF_JOINED: _staff("Accepted the invitation to work here as {role}"),
    Event.STAFF_REMOVED: _staff("Ended the work here as {old}"),
    Event.ROLE_CHANGED: _staff("Changed the role from {old} to {new}"),
    Event.SECOND_FACTOR_ASKED: _staff("A second factor is asked of {new}, before of {old}"),
    Event.REWARD_CREATED: lambda data, store: f"Reward “{data.get('name', '')}” added",
    Event.REWARD_CHANGED: _reward,
    **REDEMPTION_SENTENCES,
}
