"""What happened to redemptions and their codes, as sentences (R2-R7)."""

from collections.abc import Mapping
from typing import Any, Final

from loyalty.journal.record import Event
from loyalty.stores.models import Store
from loyalty.timeline.words import Tell, amount_words, fixed, trigger_words


def _redeemed(data: dict[str, Any], store: Store) -> str:
    points = amount_words(data.get("points", 0), "", store)
    return f"Redeemed {points} for “{data.get('name', '')}” {trigger_words(data.get('trigger', ''))}"


def _code_used(data: dict[str, Any], store: Store) -> str:
    return f"Code used by order {data['number']}" if "number" in data else "Code used, says the shop platform"


def _used_code(data: dict[str, Any], store: Store) -> str:
    return f"Used {amount_words(data['points'], '', store)} with the code {data['code']}"


def _code_returned(data: dict[str, Any], store: Store) -> str:
    back, now, of = (amount_words(data[name], "", store) for name in ("amount", "returned", "points"))
    return f"Returned {back} through the order that used the code: {now} of {of} are back"


def _return_undone(data: dict[str, Any], store: Store) -> str:
    taken, now, of = (amount_words(data[name], "", store) for name in ("amount", "returned", "points"))
    return f"A return through the order was undone: took back {taken}, {now} of {of} are back"


def _flagged(words: str) -> Tell:
    """On the order it says with which code, on the redemption by which order."""

    def tell(data: dict[str, Any], store: Store) -> str:
        if "code" in data:
            return f"Came with the code {data['code']} {words}: the order used none of its points"
        return f"Order {data.get('number', '')} came with the code {words}"

    return tell


def _code_failed(data: dict[str, Any], store: Store) -> str:
    what = "delete" if data.get("reversed") else "make"
    return f"The shop platform did not {what} the code. {data.get('error', '')}"


def _reversed(data: dict[str, Any], store: Store) -> str:
    back, of = (amount_words(data.get(name, 0), "", store) for name in ("returned", "points"))
    words = f"Redemption reversed {trigger_words(data.get('trigger', ''))}: returned {back} of {of}"
    if "taken" in data:
        words = f"{words}, took back {amount_words(data['taken'], data.get('currency', ''), store)}"
    words = f"{words}, although the code had been used" if data.get("forced") else words
    asked = data.get("platform_asked")
    return f"{words}; the shop platform could not be asked first" if asked == "unreachable" else words


REDEMPTION_SENTENCES: Final[Mapping[str, Tell]] = {
    Event.REDEEMED: _redeemed,
    Event.CODE_CONFIRMED: fixed("The code is active on the shop platform"),
    Event.CODE_FAILED: _code_failed,
    Event.CODE_USED: _code_used,
    Event.REVERSAL_REQUESTED: fixed("The customer asked for a reversal"),
    Event.REVERSAL_REFUSED: fixed("The request for a reversal was refused"),
    Event.REVERSED: _reversed,
    Event.CODE_DELETED: fixed("The code is deleted on the shop platform"),
    Event.CODE_RETURNED: _code_returned,
    Event.CODE_RETURN_UNDONE: _return_undone,
    Event.ORDER_USED_CODE: _used_code,
    Event.REVERSED_CODE_USED: _flagged("after its points had been returned"),
    Event.CODE_USED_BEFORE: _flagged("after another order had used it"),
    Event.REVERSED_CODE_SETTLED: fixed("The use of a code without its points was settled"),
}
