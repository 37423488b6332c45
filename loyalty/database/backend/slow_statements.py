"""Statements that take long are named in the log: who asked, and what, without any value."""

import logging
import re
import traceback
from typing import Any, Final

# Shorter ones are nobody's trouble; SLOW_STATEMENT_MILLISECONDS in the environment says otherwise.
USUAL_MILLISECONDS: Final = 500
_OURS: Final = ("loyalty.", "orders.", "credits.", "points.")
_NOBODYS: Final = "loyalty.database."
_VALUES: Final = re.compile(r"'(?:[^']|'')*'|\$(\w*)\$.*?\$\1\$|\b\d+(?:\.\d+)?\b", re.DOTALL)
_LONGEST: Final = 300

logger = logging.getLogger("loyalty.slow_statements")


def name_slow(statement: Any, seconds: float) -> None:
    """Write down a statement that took so many seconds; the line says for what request or job it was."""
    asked_by, shape = _who_asks(), shape_of(str(statement))
    milliseconds = round(seconds * 1000)
    facts = {"asked_by": asked_by, "statement": shape, "milliseconds": milliseconds}
    logger.warning("%s took %d ms: %s", asked_by, milliseconds, shape, extra=facts)


def shape_of(statement: str) -> str:
    """A statement in one line without what stands in it for a value, the beginning of a long one."""
    # Cut first, where a value may be cut in two: what is left of it goes as well.
    shape = _VALUES.sub("?", " ".join(statement[: 4 * _LONGEST].split()))
    return re.sub(r"'.*", "?", shape)[:_LONGEST]


def _who_asks() -> str:
    """The function of ours that sent it: what lies between it and the driver is Django."""
    for frame, _ in traceback.walk_stack(None):
        module = frame.f_globals.get("__name__", "")
        if module.startswith(_OURS) and not module.startswith(_NOBODYS):
            return f"{module}.{frame.f_code.co_name}"
    return "a library"
