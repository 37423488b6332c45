"""How e-mail addresses and phone numbers are compared, in the database and in Python alike (O7), and names found."""

from typing import Final

import pgtrigger
from django.db import models


class Folded(models.Func):
    """An e-mail address as it is compared: trimmed and case-folded (O7), as :func:`fold_email` does it."""

    template = 'casefold(btrim(%(expressions)s) COLLATE "pg_unicode_fast")'


def fold_email(text: str) -> str:
    """``text`` as e-mail addresses are compared: trimmed and case-folded (O7)."""
    return text.strip().casefold()


class Dialled(models.Func):
    """A phone number as far as it tells people apart: its last nine digits, as :func:`dialled` does it."""

    template = "right(regexp_replace(%(expressions)s, '[^0-9]', '', 'g'), 9)"


def dialled(phone: str) -> str:
    """The last nine digits of a phone number, which are the same with and without the country before them."""
    return "".join(character for character in phone if character in "0123456789")[-9:]


class NameKey(models.Func):
    """A name as it is found and sorted, whatever way it is written: the database's function of that name (ADR 0067)."""

    function = "name_key"
    arity = 1
    output_field = models.TextField()


# A line each, so that what begins one follows a line's end; what names somebody comes before the form feed.
KEEPS_SEARCH_KEY: Final = pgtrigger.Trigger(
    name="keeps_search_key",
    operation=pgtrigger.Insert | pgtrigger.UpdateOf("name", "email", "phone", "external_id"),
    when=pgtrigger.Before,
    func=r"""
NEW.search_key = E'\n' || name_key(NEW.name) || E'\n' || name_key(NEW.email)
    || E'\f\n' || name_key(NEW.phone) || E'\n' || name_key(coalesce(NEW.external_id, ''));
RETURN NEW;
""",
)
