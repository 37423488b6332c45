"""What happened to redemptions and their codes, as sentences (R2-R7)."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.journal.record import Event
from loyalty.languages.own_names import own_words
from loyalty.stores.models import Store
from loyalty.timeline.words import Tell, amount_words, fixed, trigger_words

# By whether something was taken back, the code had been used, and the platform did not answer.
_REVERSED: Final = {
    (False, False): gettext_noop("Redemption reversed %(cause)s: returned %(back)s of %(of)s"),
    (True, False): gettext_noop("Redemption reversed %(cause)s: returned %(back)s of %(of)s, took back %(taken)s"),
    (False, True): gettext_noop(
        "Redemption reversed %(cause)s: returned %(back)s of %(of)s, although the code had been used"
    ),
    (True, True): gettext_noop(
        "Redemption reversed %(cause)s: returned %(back)s of %(of)s, took back %(taken)s, although the code had been "
        "used"
    ),
}


def _redeemed(data: dict[str, Any], store: Store) -> str:
    points = amount_words(data.get("points", 0), "", store)
    said = {"points": points, "reward": data.get("name", ""), "cause": trigger_words(data.get("trigger", ""))}
    return _("Redeemed %(points)s for “%(reward)s” %(cause)s") % said


def _code_used(data: dict[str, Any], store: Store) -> str:
    if "number" in data:
        return _("Code used by order %(number)s") % {"number": data["number"]}
    return _("Code used, says the shop platform")


def _used_code(data: dict[str, Any], store: Store) -> str:
    said = {"points": amount_words(data["points"], "", store), "code": data["code"]}
    return _("Used %(points)s with the code %(code)s") % said


def _code_returned(data: dict[str, Any], store: Store) -> str:
    said = {name: amount_words(data[name], "", store) for name in ("amount", "returned", "points")}
    return _("Returned %(amount)s through the order that used the code: %(returned)s of %(points)s are back") % said


def _return_undone(data: dict[str, Any], store: Store) -> str:
    said = {name: amount_words(data[name], "", store) for name in ("amount", "returned", "points")}
    words = _("A return through the order was undone: took back %(amount)s, %(returned)s of %(points)s are back")
    return words % said


def _flagged(on_the_order: str, on_the_redemption: str) -> Tell:
    """On the order it says with which code, on the redemption by which order."""

    def tell(data: dict[str, Any], store: Store) -> str:
        if "code" in data:
            return own_words(on_the_order) % {"code": data["code"]}
        return own_words(on_the_redemption) % {"number": data.get("number", "")}

    return tell


def _code_failed(data: dict[str, Any], store: Store) -> str:
    if data.get("reversed"):
        return _("The shop platform did not delete the code. %(error)s") % {"error": data.get("error", "")}
    return _("The shop platform did not make the code. %(error)s") % {"error": data.get("error", "")}


def _reversed(data: dict[str, Any], store: Store) -> str:
    words = _(_REVERSED["taken" in data, bool(data.get("forced"))]) % {
        "cause": trigger_words(data.get("trigger", "")),
        "back": amount_words(data.get("returned", 0), "", store),
        "of": amount_words(data.get("points", 0), "", store),
        "taken": amount_words(data.get("taken", 0), data.get("currency", ""), store),
    }
    if data.get("platform_asked") != "unreachable":
        return words
    return _("%(what_happened)s; the shop platform could not be asked first") % {"what_happened": words}


REDEMPTION_SENTENCES: Final[Mapping[str, Tell]] = {
    Event.REDEEMED: _redeemed,
    Event.CODE_CONFIRMED: fixed(gettext_noop("The code is active on the shop platform")),
    Event.CODE_FAILED: _code_failed,
    Event.CODE_USED: _code_used,
    Event.REVERSAL_REQUESTED: fixed(gettext_noop("The customer asked for a reversal")),
    Event.REVERSAL_REFUSED: fixed(gettext_noop("The request for a reversal was refused")),
    Event.REVERSED: _reversed,
    Event.CODE_DELETED: fixed(gettext_noop("The code is deleted on the shop platform")),
    Event.CODE_RETURNED: _code_returned,
    Event.CODE_RETURN_UNDONE: _return_undone,
    Event.ORDER_USED_CODE: _used_code,
    Event.REVERSED_CODE_USED: _flagged(
        gettext_noop(
            "Came with the code %(code)s after its points had been returned: the order used none of its points"
        ),
        gettext_noop("Order %(number)s came with the code after its points had been returned"),
    ),
    Event.CODE_USED_BEFORE: _flagged(
        gettext_noop("Came with the code %(code)s after another order had used it: the order used none of its points"),
        gettext_noop("Order %(number)s came with the code after another order had used it"),
    ),
    Event.REVERSED_CODE_SETTLED: fixed(gettext_noop("The use of a code without its points was settled")),
}
