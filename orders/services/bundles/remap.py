"""Ids inside of JSON columns, as SQL that puts the arrived rows' own in their place.

Between a bundle's lines and the tables stand temporary ones, ``bundle_<table>``, that lead from the id which a row had
to the one that it gets. ``d`` is the line as a record.
"""

from collections.abc import Mapping
from typing import Final

# A name inside of a JSON object (or a path to it), and the table whose ids stand there; behind a letter, where the
# outside tells kinds apart by it (``c12``).
Ids = Mapping[str, str]

_DIGITS: Final = "[0-9]{1,18}"


def in_object(value: str, ids: Ids) -> str:
    """The JSON object ``value`` with the ids of arrived rows; what names no travelling row becomes null."""
    mapped = value
    for path, table in ids.items():
        mapped = f"jsonb_set({mapped}, '{{{path}}}', {_new(value, path, table)}, false)"
    names = ", ".join(f"'{path.partition(',')[0]}'" for path in ids)
    return f"CASE WHEN {value} ?| ARRAY[{names}] THEN {mapped} ELSE {value} END"


def in_each(value: str, ids: Ids) -> str:
    """The JSON list ``value`` of objects, each as :func:`in_object`."""
    parts = f"jsonb_array_elements({value}) WITH ORDINALITY AS part(item, place)"
    each = f"(SELECT coalesce(jsonb_agg({in_object('part.item', ids)} ORDER BY part.place), '[]') FROM {parts})"
    return f"CASE WHEN {value} = '[]' THEN {value} ELSE {each} END"


def _new(value: str, path: str, table: str) -> str:
    letter, _, table = table.rpartition(":")
    there, text = f"({value} #> '{{{path}}}')", f"({value} #>> '{{{path}}}')"
    old = f"CASE WHEN {text} ~ '^{letter}{_DIGITS}$' THEN substr({text}, {len(letter) + 1})::bigint END"
    new = (
        f"(SELECT CASE jsonb_typeof({there}) WHEN 'number' THEN to_jsonb(led.id) "
        f"ELSE to_jsonb('{letter}' || led.id::text) END FROM bundle_{table} AS led WHERE led.old_id = {old})"
    )
    return f"coalesce({new}, CASE WHEN {text} !~ '^{letter}{_DIGITS}$' THEN {there} END, 'null')"
