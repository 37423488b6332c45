"""Text from outside as PostgreSQL can keep it."""

import re
from collections.abc import Mapping
from typing import Any, Final

_NOT_STORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_SHOWN_INSTEAD: Final = "\N{REPLACEMENT CHARACTER}"


def storable(text: str) -> str:
    """The text without what no column takes: a NUL, and halves of surrogate pairs, become a replacement character.

    For words that are only shown: errors, answers, names of things. What is decided by is refused instead.
    """
    # Neither is printable, and nearly all texts are.
    return text if text.isprintable() else _NOT_STORABLE.sub(_SHOWN_INSTEAD, text)


def storable_json(value: Any) -> Any:
    """A JSON value whose every text, names included, is :func:`storable`."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, Mapping):
        return {storable(name): storable_json(item) for name, item in value.items()}
    return [storable_json(item) for item in value] if isinstance(value, list) else value
