"""What is asked of shop platforms, what they answer, and the ways in which they do not.

Every error's text is a sentence that a shop owner understands. None of them carries credentials.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, Protocol

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
    """Some orders, as :func:`loyalty.platforms.read.read_order` reads them. ``next_cursor`` is "" on the last."""

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


class PlatformClient(Protocol):
    """What every platform can be asked. All of it may raise the errors above.

    Nothing here opens a transaction; callers hold none while they ask.
    """

    def check(self) -> Shop:
        """Whether the credentials work, and whose they are."""

    def orders_updated(self, *, since: datetime, until: datetime, cursor: str = "") -> Page:
        """Orders that changed from ``since`` to ``until``, a page at a time; some may come twice, none is left out.

        ``until`` is in the past. ``cursor`` is the page before's ``next_cursor``, with the same instants.
        """

    def fetch_order(self, external_id: str) -> Document | None:
        """One order; None when the platform does not have it, or does not show it to us."""

    def ensure_webhooks(self, *, address: str, secret: str) -> WebhookReport:
        """See to it that changes of orders are told to ``address``: missing webhooks are made, dead ones revived.

        ``secret`` is what they are signed with, where the platform lets us choose.
        """

    def add_tag(self, external_id: str, tag: str) -> None:
        """Put a tag on an order, beside those that it has; one that is there already is left alone."""

    def cancel_order(self, external_id: str, *, reason: str, give_back: Collection[str] = ()) -> bool:
        """Cancel an order there without giving anything back; ``reason`` is one of the codes of the cancel form.

        ``give_back`` names the kinds, ``credits`` and ``points``, of which the platform is to return what the order
        used of its own. Only platforms can that say so (:attr:`ShopPlatform.returns_its_own`).
        True: it is cancelled, now or long since. False: the platform is still at it, and wants to be asked again.
        """

    def create_code(self, new: NewCode) -> str:
        """Make a discount code and answer the platform's own id of it. One that we made before counts as made."""

    def delete_code(self, code: str, *, reference: str = "") -> None:
        """Take a discount code away, and no other; one that is gone already counts as done.

        ``reference`` is what :meth:`create_code` answered; without it the code is looked for.
        """

    def code_used(self, code: str, *, reference: str = "") -> bool | None:
        """Whether a discount code was used; None when there is none or the platform does not say."""
