"""Columns that several exports have, and how one is made.

Titles are messages of the catalogues; the file's first line has them in the language of who exports.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, cast

from django.utils.translation import gettext_noop

from loyalty.exporting.tables import Cell, Column, Viewing, amount
from loyalty.ledger.ledger import Kind
from loyalty.stores.actors import actor_names
from loyalty.stores.dates import label_of
from loyalty.timeline.words import trigger_words
from orders.models import CancelReason

LAST_DAY: Final = gettext_noop("Last day of use (empty: never expires)")


def attribute(title: str, path: str) -> Column:
    """A column that shows an attribute, or that of a row it refers to; empty where there is none."""
    names = path.split(".")

    def value(row: Any, _viewing: Viewing) -> Cell:
        for name in names:
            row = getattr(row, name, None)
        return cast(Cell, row)

    return Column(title, value)


def text(title: str, words: Callable[[Any], Cell]) -> Column:
    """A column that a row alone decides."""
    return Column(title, lambda row, _viewing: words(row))


def whose(path: str = "customer") -> tuple[Column, ...]:
    """Who the customer is at ``path``."""
    return (
        attribute(gettext_noop("Customer"), f"{path}.name"),
        attribute(gettext_noop("E-mail"), f"{path}.email"),
        attribute(gettext_noop("Customer's external id"), f"{path}.external_id"),
    )


def in_currency(title: str, name: str) -> Column:
    """An amount of a lot or movement, written as its currency is."""
    return text(title, lambda row: amount(getattr(row, name), row.currency))


def currency_column(kind: Kind) -> Iterable[Column]:
    """The currency of what has one."""
    return [attribute(gettext_noop("Currency"), "currency")] if kind == "credits" else []


def load_actors(rows: Sequence[Any], _viewing: Viewing) -> dict[str, str]:
    """The names of who acted, as :data:`BY` shows them."""
    return actor_names(row.actor for row in rows)


BY: Final = (
    Column(gettext_noop("By"), lambda row, viewing: viewing.loaded[row.actor]),
    text(gettext_noop("Cause"), lambda row: trigger_words(row.trigger)),
    text(gettext_noop("Reason"), lambda row: _reason(row.remark.reason) if row.remark else ""),
    text(gettext_noop("Note"), lambda row: row.remark.note if row.remark else ""),
)


def _reason(reason: str) -> str:
    return label_of(CancelReason, reason)
