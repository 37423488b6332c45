"""JSON objects that name each key once: of two values for one key, one would be lost in silence. Pure."""

from json import dumps
from typing import Any, Final

from django.utils.translation import gettext

_SHOWN: Final = 100


class NamedTwice(ValueError):
    """An object names a key twice; ``str(error)`` says which."""

    def __init__(self, key: str) -> None:
        super().__init__(gettext("An object in the body names %(dumps)s twice.") % {"dumps": dumps(key)[:_SHOWN]})


def named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of these pairs, as ``object_pairs_hook``. Raises NamedTwice."""
    named = dict(pairs)
    if len(named) < len(pairs):
        keys = [key for key, _ in pairs]
        raise NamedTwice(next(key for key in keys if keys.count(key) > 1))
    return named
