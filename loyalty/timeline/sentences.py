"""The journal as sentences for people (H2)."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.core.phrases import enumerated, listed
from loyalty.journal.models import JournalEntry
from loyalty.journal.record import Event
from loyalty.languages.own_names import own_words
from loyalty.languages.retell import retell
from loyalty.ledger.ledger import currency_for
from loyalty.platforms.registry import LABELS
from loyalty.stores.actors import actor_names
from loyalty.stores.dates import show_moment
from loyalty.stores.models import Store
from loyalty.timeline.decision_sentences import caused, left_words, matched_words, skipped
from loyalty.timeline.redemption_sentences import REDEMPTION_SENTENCES
from loyalty.timeline.words import Tell, amount_words, fixed, trigger_words, value_words

# By whether a status or tag is behind it, and whether some of the points were gone.
_TAKEN_BACK: Final = {
    (False, False): gettext_noop("Took back %(points)s that the order had earned"),
    (True, False): gettext_noop("Took back %(points)s that the order had earned %(cause)s"),
    (False, True): gettext_noop("Took back %(points)s that the order had earned; %(dropped)s were not there any more"),
    (True, True): gettext_noop(
        "Took back %(points)s that the order had earned %(cause)s; %(dropped)s were not there any more"
    ),
}
_KINDS: Final = {"credits": gettext_noop("credits"), "points": gettext_noop("points")}
_WEBHOOK_CHANGES: Final = {
    "created": gettext_noop("Webhook endpoint added"),
    "changed": gettext_noop("Webhook endpoint changed"),
    "rotated": gettext_noop("Webhook endpoint given a new secret"),
    "enabled": gettext_noop("Webhook endpoint switched on"),
    "disabled": gettext_noop("Webhook endpoint switched off"),
    "removed": gettext_noop("Webhook endpoint removed"),
}
_DISABLED_BECAUSE: Final = {
    "failing": gettext_noop("Webhook endpoint switched off: it had failed for five days"),
    "gone": gettext_noop("Webhook endpoint switched off: it answered that it is gone"),
}
_FIELDS: Final = {
    "status": gettext_noop("status"),
    "payment_status": gettext_noop("payment"),
    "tags": gettext_noop("tags"),
    "refunded_total": gettext_noop("refunded"),
    "payment_detail": gettext_noop("of the payment"),
    "payment_due_at": gettext_noop("payment due"),
    "total": gettext_noop("total"),
    "customer_id": gettext_noop("customer"),
}
_TERMS: Final = {
    "name": gettext_noop("name"),
    "points": gettext_noop("points"),
    "type": gettext_noop("type"),
    "value": gettext_noop("value"),
    "currency": gettext_noop("currency"),
    "valid_days": gettext_noop("valid days"),
    "limit_per_customer": gettext_noop("limit per customer"),
    "active": gettext_noop("active"),
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
    member, said = entry.data.get("member"), sentence(entry, store)
    return Line(
        words=_("%(what)s: %(who)s") % {"what": said, "who": names[member]} if member else said,
        when=show_moment(entry.created_at, store),
        who=names[entry.actor],
        remark=". ".join(filter(None, (remark.reason, remark.note))) if remark else "",
        link=reverse("admin:orders_order_change", args=[order.pk]) if order else "",
        link_words=_("Order %(number)s") % {"number": order} if order else "",
    )


def _created(data: dict[str, Any], store: Store) -> str:
    said = {name: value_words(data.get(name, "pending"), name) for name in ("status", "payment_status")}
    return _("Order recorded as %(status)s, payment %(payment_status)s") % said


def _updated(data: dict[str, Any], store: Store) -> str:
    changes = [_change(name, change) for name, change in data.items() if isinstance(change, dict)]
    return _("Changed %(changes)s") % {"changes": enumerated(changes)} if changes else _("Order updated")


def _change(name: str, change: dict[str, Any]) -> str:
    return _("%(field)s from %(old)s to %(new)s") % {
        "field": _(_FIELDS[name]) if name in _FIELDS else name,
        "old": value_words(change.get("from"), name),
        "new": value_words(change.get("to"), name),
    }


def _id_unclear(data: dict[str, Any], store: Store) -> str:
    sources = enumerated(LABELS.get(name, name) for name in data.get("sources", ()))
    words = _("The external id stayed as it was: orders from %(sources)s named it, and it may be one platform's id")
    return words % {"sources": sources}


def _merged(data: dict[str, Any], store: Store) -> str:
    moved = [amount_words(points, "", store) for points in [data.get("points")] if points]
    moved += [amount_words(credits, currency, store) for currency, credits in data.get("credits", {}).items()]
    said = {"customer": data.get("customer"), "moved": listed(moved)}
    if moved:
        return _("Customer %(customer)s was merged into this one, who brought %(moved)s") % said
    return _("Customer %(customer)s was merged into this one") % said


def _merged_away(data: dict[str, Any], store: Store) -> str:
    return _("Merged into customer %(customer)s, with everything that was there") % {"customer": data.get("customer")}


def _spent(data: dict[str, Any], store: Store) -> str:
    if data.get("trigger") == "admin":
        return _("Recorded by staff: the order used %(amounts)s") % {"amounts": _both(data, store)}
    return _("Paid with %(amounts)s") % {"amounts": _both(data, store)}


def _both(data: dict[str, Any], store: Store) -> str:
    return listed(
        [
            amount_words(data[kind], currency_for(kind, data.get("currency", "")), store)
            for kind in ("credits", "points")
            if kind in data
        ]
    )


def _cancelled(data: dict[str, Any], store: Store) -> str:
    return _("Order cancelled %(cause)s") % {"cause": trigger_words(data.get("trigger", ""))}


def _reinstated(data: dict[str, Any], store: Store) -> str:
    said = {"status": value_words(data.get("status")), "cause": trigger_words(data.get("trigger", ""))}
    if data.get("deducts"):
        return _("Order brought back as %(status)s %(cause)s") % said
    return _("Order brought back as %(status)s %(cause)s, nothing was deducted again") % said


def _deducted_again(data: dict[str, Any], store: Store) -> str:
    said = {"amounts": _both(data, store), "cause": trigger_words(data.get("trigger", ""))}
    return _("Deducted %(amounts)s again %(cause)s") % said


def _reverted(data: dict[str, Any], store: Store) -> str:
    said = {name: amount_words(data[name], data["currency"], store) for name in ("amount", "applied")}
    said["cause"] = caused(data)
    if data["code"] == "expired":
        return _("Returned %(amount)s of %(applied)s %(cause)s, the rest had expired") % said
    return _("Returned %(amount)s of %(applied)s %(cause)s") % said


def _earned(data: dict[str, Any], store: Store) -> str:
    return _("Earned %(points)s") % {"points": amount_words(data["points"], "", store)}


def _not_earned(data: dict[str, Any], store: Store) -> str:
    words = own_words("Earned nothing: %(points)s by the rule, but whoever changed the order may not give points")
    return words % {"points": amount_words(data.get("points", 0), "", store)}


def _taken_back(data: dict[str, Any], store: Store) -> str:
    said = {name: amount_words(data[name], "", store) for name in ("points", "dropped")}
    said["cause"] = matched_words(data.get("matched", {}))
    return _(_TAKEN_BACK[bool(said["cause"]), bool(data["dropped"])]) % said


def _given_again(data: dict[str, Any], store: Store) -> str:
    return _("Gave %(points)s again that the order earns") % {"points": amount_words(data["points"], "", store)}


def _undone(data: dict[str, Any], store: Store) -> str:
    said = {"amount": amount_words(data["amount"], data["currency"], store), "cause": trigger_words(data["trigger"])}
    return _("Undid a return %(cause)s: took back %(amount)s, which no automation returns again") % said


def _balance(data: dict[str, Any], store: Store) -> str:
    amount = str(data.get("amount", "0"))
    shown = {"amount": amount_words(amount.removeprefix("-"), data.get("currency", ""), store)}
    return _("Removed %(amount)s") % shown if amount.startswith("-") else _("Gave %(amount)s") % shown


def _webhook(data: dict[str, Any], store: Store) -> str:
    words = _WEBHOOK_CHANGES[data["change"]]
    if data["change"] == "disabled":
        words = _DISABLED_BECAUSE.get(data["because"], words)
    return _(words)


def _about_the_rest(message: str) -> Tell:
    return lambda data, store: _(message) % {"left": left_words(data, store)}


def _reward(data: dict[str, Any], store: Store) -> str:
    terms, said = data.get("terms", {}), {"reward": data.get("name", "")}
    if set(terms) == {"active"}:
        return (
            _("Reward “%(reward)s” is offered") if terms["active"] else _("Reward “%(reward)s” is no longer offered")
        ) % said
    named = enumerated(_(_TERMS[name]) if name in _TERMS else name for name in terms)
    return _("Reward “%(reward)s” changed: %(terms)s") % (said | {"terms": named})


def _reward_added(data: dict[str, Any], store: Store) -> str:
    return _("Reward “%(reward)s” added") % {"reward": data.get("name", "")}


def _staff(message: str) -> Tell:
    return lambda data, store: (
        _(message)
        % {
            "role": value_words(data.get("role", "")),
            "old": value_words(data.get("from")),
            "new": value_words(data.get("to")),
        }
    )


def _label(data: dict[str, Any]) -> str:
    return LABELS.get(data.get("platform", "")) or _("the shop platform")


def _platform(message: str) -> Tell:
    return lambda data, store: _(message) % {"platform": _label(data)}


def _cancelled_there(data: dict[str, Any], store: Store) -> str:
    kinds = [_(_KINDS.get(kind, kind)) for kind in data.get("give_back", [])]
    said = {"platform": _label(data), "kinds": listed(kinds)}
    if kinds:
        return _("Order cancelled on %(platform)s too; it was asked to return its own %(kinds)s") % said
    return _("Order cancelled on %(platform)s too; nothing was given back there") % said


def _tagged_there(data: dict[str, Any], store: Store) -> str:
    said = {"tag": data.get("tag", ""), "platform": _label(data)}
    return _("Tag “%(tag)s” put on the order on %(platform)s") % said


def _not_told(data: dict[str, Any], store: Store) -> str:
    said = {"platform": _label(data), "reason": retell(str(data.get("reason", "")))}
    if data.get("what") == "tag":
        return _("The order could not be tagged on %(platform)s. %(reason)s") % said
    return _("The order could not be cancelled on %(platform)s. %(reason)s") % said


_SENTENCES: Final[dict[str, Tell]] = {
    Event.ORDER_CREATED: _created,
    Event.ORDER_UPDATED: _updated,
    Event.PAYMENT_ATTEMPT_FAILED: fixed(gettext_noop("An attempt to pay failed; another one may still pay the order")),
    Event.ORDER_SPENT: _spent,
    Event.ORDER_CANCELLED: _cancelled,
    Event.ORDER_HELD: fixed(gettext_noop("Held: not cancelled automatically until it is released")),
    Event.ORDER_RELEASED: fixed(gettext_noop("Released: may be cancelled automatically again")),
    Event.CREDITS_REVERTED: _reverted,
    Event.POINTS_REVERTED: _reverted,
    Event.REVERT_SKIPPED: skipped,
    Event.ORDER_REINSTATED: _reinstated,
    Event.DEDUCTED_AGAIN: _deducted_again,
    Event.REVERT_UNDONE: _undone,
    Event.REVERT_DISMISSED: _about_the_rest(gettext_noop("Dismissed: %(left)s will not be returned")),
    Event.REVERT_WAITS_AGAIN: _about_the_rest(gettext_noop("Back in the queue: somebody has to decide about %(left)s")),
    Event.MARKED_FOR_REFUND: fixed(gettext_noop("Stays cancelled; the late payment is to be refunded")),
    Event.POINTS_EARNED: _earned,
    Event.POINTS_NOT_EARNED: _not_earned,
    Event.POINTS_TAKEN_BACK: _taken_back,
    Event.POINTS_GIVEN_AGAIN: _given_again,
    Event.BALANCE_CHANGED: _balance,
    Event.NOTICE_QUEUED: fixed(gettext_noop("Message to the customer waits to be sent")),
    Event.NOTICE_SENT: fixed(gettext_noop("Message to the customer sent")),
    Event.NOTICE_FAILED: fixed(gettext_noop("Message to the customer could not be sent")),
    Event.NOTICE_WITHDRAWN: fixed(gettext_noop("Message to the customer withdrawn before it was sent")),
    Event.SETTINGS_CHANGED: fixed(gettext_noop("Settings changed")),
    Event.TAGGED_THERE: _tagged_there,
    Event.CANCELLED_THERE: _cancelled_there,
    Event.NOT_WRITTEN_BACK: _not_told,
    Event.WEBHOOK_CHANGED: _webhook,
    Event.ORDER_DELETED_THERE: fixed(
        gettext_noop("Order deleted on the shop platform; it stays here with what it used")
    ),
    Event.ORDER_RESTORED_THERE: fixed(gettext_noop("Order brought back on the shop platform")),
    Event.PLATFORM_CONNECTED: _platform(gettext_noop("Connection to %(platform)s saved")),
    Event.PLATFORM_DISCONNECTED: _platform(gettext_noop("Disconnected from %(platform)s")),
    Event.PLATFORM_UNINSTALLED: _platform(gettext_noop("The shop uninstalled the app on %(platform)s")),
    Event.SIGNING_CHANGED: _platform(gettext_noop("New webhook secret for %(platform)s")),
    Event.IMPORT_STARTED: fixed(gettext_noop("Balance import started")),
    Event.IMPORT_DONE: fixed(gettext_noop("Balance import done")),
    Event.IMPORT_TAKEN_BACK: fixed(gettext_noop("Balance import taken back")),
    Event.CUSTOMER_ERASED: fixed(gettext_noop("Personal data erased")),
    Event.REMINDERS_STOPPED: fixed(gettext_noop("No more reminders before something expires")),
    Event.REMINDERS_WANTED: fixed(gettext_noop("Reminders before something expires are sent again")),
    Event.CUSTOMER_ID_UNCLEAR: _id_unclear,
    Event.CUSTOMER_MERGED: _merged,
    Event.CUSTOMER_MERGED_AWAY: _merged_away,
    Event.DATA_REQUESTED: fixed(gettext_noop("Asked through the shop platform which data are kept")),
    Event.STAFF_INVITED: _staff(gettext_noop("Invited somebody to work here as %(role)s")),
    Event.STAFF_INVITED_AGAIN: _staff(gettext_noop("Sent the invitation to work here as %(role)s again")),
    Event.INVITATION_WITHDRAWN: _staff(gettext_noop("Withdrew the invitation to work here as %(role)s")),
    Event.STAFF_JOINED: _staff(gettext_noop("Accepted the invitation to work here as %(role)s")),
    Event.STAFF_REMOVED: _staff(gettext_noop("No longer works here as %(old)s")),
    Event.ROLE_CHANGED: _staff(gettext_noop("Changed the role from %(old)s to %(new)s")),
    Event.SECOND_FACTOR_ASKED: _staff(gettext_noop("A second factor is now asked of: %(new)s. Before: %(old)s")),
    Event.BUNDLE_ASKED: fixed(gettext_noop("Asked for a file with everything in the store")),
    Event.BUNDLE_FETCHED: fixed(gettext_noop("Downloaded the file with everything in the store")),
    Event.STORE_ARRIVED: fixed(gettext_noop("The store moved here with everything in it; its sums were proved")),
    Event.REWARD_CREATED: _reward_added,
    Event.REWARD_CHANGED: _reward,
    **REDEMPTION_SENTENCES,
}
