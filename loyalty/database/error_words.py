"""The commonest errors of the database in words for a shop's people, without the row that it quotes."""

from collections.abc import Mapping
from typing import Final

import psycopg
from django.db import Error as DatabaseError

from loyalty.database.busy import is_busy

_RULE: Final = "23514"
# By SQLSTATE (PostgreSQL's appendix A).
_WORDS: Final[Mapping[str, str]] = {
    "22001": "A text is longer than can be kept",
    "22003": "A number is larger than can be kept",
    "22007": "A date cannot be read",
    "22008": "A date is out of range",
    "22021": "A text holds a character that cannot be kept",
    "22P02": "A value is not of the kind that is kept here",
    "22P05": "A text holds a character that cannot be kept",
    "23502": "Something is missing that has to be there",
    "23503": "What it belongs to is not there any more",
    "23505": "There is one already, and there may be only one",
    _RULE: "A rule of the database forbids it",
}
_BUSY: Final = "Somebody else was at work on it for too long"


def error_words(error: DatabaseError) -> str:
    """What is wrong, with what a developer looks for in brackets; empty for an error that has no words here."""
    cause = error.__cause__
    if not isinstance(cause, psycopg.Error):
        return ""
    state, constraint = cause.sqlstate or "", cause.diag.constraint_name
    words = _BUSY if is_busy(error) else _WORDS.get(state)
    # A trigger names no constraint: it says itself what it forbids.
    if words is None or (state == _RULE and not constraint):
        return ""
    return f"{words} ({' '.join(filter(None, [type(error).__name__, state, constraint]))})."
