"""What is asked of shop platforms, what they answer, and the ways in which they do not.

Every error's text is a sentence that a shop owner understands. None of them carries credentials.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

# One JSON object of a platform.
Document = Mapping[str, Any]


class PlatformError(Exception):
    """The platform did not do what it was asked. ``str(error)`` says why, for people."""


class Unreachable(PlatformError):
    """There was no answer, or none that makes sense: later it may work."""


class Throttled(PlatformError):
    """The platform wants to be left alone for ``after``; what was asked is not done."""

    def __init__(self, reason: str, *, after: timedelta) -> None:
        super().__init__(reason)
        self.after = after


class Refused(PlatformError):
    """The platform does not accept the credentials, or they do not allow this: somebody must change them."""


class Failed(PlatformError):
    """The platform understood and said no: asking again the same way will not help."""


class NotThere(Failed):
    """The platform does not have what was asked for, or does not show it to us."""


@dataclass(frozen=True, slots=True)
class Shop:
    """Whom the credentials open: the shop's name, and the permissions that are missing for what we do, by name.

    ``merchant_id`` is whose shop it is in the platform's messages, where those say so (SHOPLINE in Asia).
    """

    name: str
    missing: tuple[str, ...] = ()
    merchant_id: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Some orders, as :func:`loyalty.platforms.registry.read_order` reads them. ``next_cursor`` is "" on the last."""

    orders: Sequence[Document]
    next_cursor: str = ""


@dataclass(frozen=True, slots=True)
class NewCode:
    """A discount code that can be used once, for the whole cart.

    ``value`` is an amount of ``currency`` when fixed, else percent (10 takes a tenth off). Usable from ``starts_at``
    until ``expires_at``, exclusive; None: for ever. ``title`` is what the shop's staff see.
    """

    code: str
    kind: Literal["fixed", "percentage"]
    value: Decimal
    currency: str
    starts_at: datetime
    expires_at: datetime | None
    title: str


@dataclass(frozen=True, slots=True)
class WebhookReport:
    """Which topics had a working webhook to our address, which were repaired and which made anew."""

    found: tuple[str, ...] = ()
    repaired: tuple[str, ...] = ()
    created: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything was amiss."""
        return bool(self.repaired or self.created)
