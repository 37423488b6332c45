"""The words of one row of a balance import, whatever file it came from. Readers make them; nothing here judges them.

A reader turns a row of a file into one :class:`Row`: who it is about, and what it says of him. What it cannot read it
says as a :class:`Problem`; such a row is not imported, and goes into the file of bad rows. Readers judge the text alone
(no number, no day, a column that is missing); what the store has, what repeats and what has expired is judged by the
rehearsal.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import BinaryIO, NamedTuple, Protocol

from loyalty.customers.identify import CustomerFacts
from loyalty.ledger.ledger import Kind
from loyalty.stores.models import Store


class Lot(NamedTuple):
    """Value that somebody still has, to be given here as one lot (L1).

    ``amount``: what is left of it there, above zero; points are whole. ``currency``: ``""`` for points, and for credits
    in the store's own currency. ``granted_on`` and ``expires_on`` (the last day of use, L2) are days of the store's
    time zone; None: today, and never. ``reference``: what the old system calls this lot; ``""`` where it has no name.
    ``origin``: where the old system says it came from, ``reason``: why, both as people wrote them.
    """

    kind: Kind
    amount: Decimal
    currency: str = ""
    granted_on: date | None = None
    expires_on: date | None = None
    origin: str = ""
    reason: str = ""
    reference: str = ""


class PastType(StrEnum):
    """What a movement of the old history was."""

    GRANTED = "granted"
    SPENT = "spent"
    EXPIRED = "expired"
    ADJUSTED = "adjusted"


class PastMovement(NamedTuple):
    """A movement of the old history, so that statements begin before today. It changes nobody's balance.

    ``amount`` is signed, positive for what was granted. ``at`` is an instant with an offset;
    ``reference`` as for a lot.
    """

    kind: Kind
    type: PastType
    amount: Decimal
    at: datetime
    currency: str = ""
    reason: str = ""
    reference: str = ""


class OpenCode(NamedTuple):
    """Points that were exchanged for a discount code which nobody has used yet (R2).

    Worth ``value`` in ``currency``, or per cent where ``currency`` is ``""``. ``points``: what it cost, whole and above
    zero; they are not among the lots. ``expires_on``: the code's last day of use, None for ever.
    """

    code: str
    points: Decimal
    value: Decimal
    currency: str = ""
    redeemed_on: date | None = None
    expires_on: date | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row cannot be imported: in which column of the file, and what stands there (its beginning).

    ``code`` is a key of :data:`~orders.services.balance_imports.problems.WORDS`, which say it to people.
    """

    code: str
    column: str = ""
    value: str = ""


class Row(NamedTuple):
    """One row of a file. ``position``: its number as a spreadsheet shows it, the first row of the file being 1.

    A row that says nothing but who somebody is makes him known. One with ``problems`` is not imported at all.
    ``warnings`` are what was read with doubt, such as a day that could be two; the row is imported.
    """

    position: int
    person: CustomerFacts
    lots: tuple[Lot, ...] = ()
    past: tuple[PastMovement, ...] = ()
    codes: tuple[OpenCode, ...] = ()
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


class NotReadable(Exception):
    """A file as a whole cannot be read: broken, protected, not a table, too large unpacked. The sentence is shown."""


class Reader(Protocol):
    """How files are read. The same file and layout give the same rows, each time and in the same order."""

    def __call__(self, file: BinaryIO, layout: dict[str, object], store: Store) -> Iterator[Row]:
        """The rows of ``file`` (seekable) in their order, one at a time, in bounded memory.

        ``layout`` is what was chosen or recognised, as :attr:`BalanceImport.layout` keeps it (JSON). Rows without any
        cell are left out. Raises NotReadable, also half-way.
        """
