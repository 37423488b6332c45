"""The commonest errors of the database in words for a shop's people, without the row that it quotes."""

from collections.abc import Mapping
from typing import Final

import psycopg
from django.db import Error as DatabaseError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.database.busy import is_busy

_RULE: Final = "23514"
# By SQLSTATE (PostgreSQL's appendix A).
_WORDS: Final[Mapping[str, str]] = {
    "22001": gettext_noop("A text is longer than can be kept (%(code)s)."),
    "22003": gettext_noop("A number is larger than can be kept (%(code)s)."),
    "22007": gettext_noop("A date cannot be read (%(code)s)."),
    "22008": gettext_noop("A date is out of range (%(code)s)."),
    "22021": gettext_noop("A text holds a character that cannot be kept (%(code)s)."),
    "22P02": gettext_noop("A value is not of the kind that is kept here (%(code)s)."),
    "22P05": gettext_noop("A text holds a character that cannot be kept (%(code)s)."),
    "23502": gettext_noop("Something is missing that has to be there (%(code)s)."),
    "23503": gettext_noop("What it belongs to is not there any more (%(code)s)."),
    "23505": gettext_noop("There is one already, and there may be only one (%(code)s)."),
    _RULE: gettext_noop("A rule of the database forbids it (%(code)s)."),
}
_BUSY: Final = gettext_noop("Something else was working on it for too long (%(code)s).")


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
    return _(words) % {"code": " ".join(filter(None, [type(error).__name__, state, constraint]))}
