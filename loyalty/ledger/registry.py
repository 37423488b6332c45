"""The two ledgers by kind, for what reads both; named as strings, because the foundation imports neither."""

from collections.abc import Mapping
from typing import Final

from django.utils.module_loading import import_string

from loyalty.ledger.ledger import Kind, Ledger

_LEDGERS: Final[Mapping[Kind, str]] = {"credits": "credits.ledger.CREDITS", "points": "points.ledger.POINTS"}
KINDS: Final = tuple(_LEDGERS)


def ledger_of(kind: Kind) -> Ledger:
    """The ledger of one kind."""
    ledger: Ledger = import_string(_LEDGERS[kind])
    return ledger
