"""What was decided about a kind of value, as sentences (N6)."""

from decimal import Decimal
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.languages.own_names import own_words
from loyalty.stores.models import Store
from loyalty.timeline.words import amount_words, trigger_words, value_words

_BY_HAND: Final = ("admin", "api", "bulk")
# Why nothing came back, by the codes of the REST contract: when a person decided it, and when automation did.
_DECIDED: Final = {
    "declined": gettext_noop("Decided not to return %(left)s"),
    "not_selected": gettext_noop("Left returning %(left)s for later"),
    "expired": gettext_noop("Returned nothing: %(left)s had expired and were not extended"),
    "already_reverted": gettext_noop("Returned nothing: everything is already back"),
}
_REASONS: Final = {
    "declined": gettext_noop("Did not return %(left)s %(cause)s: somebody had decided against it"),
    "not_selected": gettext_noop("Left %(left)s for later, %(cause)s"),
    "expired": gettext_noop("Did not return %(left)s %(cause)s: they had expired"),
    "blocked": gettext_noop(
        "Did not return %(left)s %(cause)s: a part had expired, and this store returns all or nothing then"
    ),
    "skip_tag": gettext_noop(
        "Did not return %(left)s %(cause)s: the tag “%(value)s” keeps them from being returned automatically"
    ),
    "already_reverted": gettext_noop("Returned nothing %(cause)s: everything is already back"),
    "rules_disabled": gettext_noop("Did not return %(left)s: this store's rules are switched off"),
    "no_trigger": gettext_noop("Did not return %(left)s: no status and no tag of the order is one that returns value"),
    "not_applied": gettext_noop("Returned nothing %(cause)s: the order used none"),
}
# What rules say where the same code would mislead.
_RULES: Final = {
    "kinds": gettext_noop("Did not return %(left)s: the rules leave this kind alone"),
    "deferred": gettext_noop(
        "Did not return %(left)s: they had been left for later, and nothing new that triggers has come since"
    ),
    "share": gettext_noop("Returned nothing %(cause)s: the share of what was refunded is already back"),
    "no_share": gettext_noop("Did not return %(left)s %(cause)s: the share of what was refunded is nothing"),
    "elsewhere": gettext_noop(
        "Did not return %(left)s: order %(value)s, which it was split from or into, has its value back"
    ),
}
# Why automation does not act on an order at all (E10).
_UNACTED: Final = {
    "test_order": gettext_noop("Did not return %(left)s: this is a test order, and nothing acts on it"),
    "paid_before": gettext_noop(
        "Did not return %(left)s: the order was paid or completed before and now its payment says failed, "
        "so somebody has to look at it"
    ),
}


def skipped(data: dict[str, Any], store: Store) -> str:
    """Why a decision returned nothing of one kind."""
    said = {"left": left_words(data, store), "cause": caused(data), "value": data["matched"]["value"]}
    return _(_why_not(data)) % said


def left_words(data: dict[str, Any], store: Store) -> str:
    """What a decision about one kind left with the shop, such as ``15.00 USD of store credits``."""
    left = amount_words(data["remains"], data["currency"], store)
    return own_words("%(amount)s of store credits", amount=left) if data["kind"] == "credits" else left


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


def caused(data: dict[str, Any]) -> str:
    """What caused a return or a decision, such as ``because of the tag “VIP”``."""
    return matched_words(data["matched"]) or trigger_words(data["trigger"])


def matched_words(matched: dict[str, Any]) -> str:
    """The status or tag behind it; empty where it was neither, and for entries of earlier releases, which say none."""
    if matched.get("by") == "status":
        return _("because of the status “%(value)s”") % {"value": value_words(matched["value"])}
    if matched.get("by") == "tag":
        return _("because of the tag “%(value)s”") % {"value": str(matched["value"]).replace("_", " ")}
    return ""
