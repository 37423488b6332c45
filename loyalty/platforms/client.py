"""Asking a shop platform: one interface to all of them, and the client of a store's connection."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Final, Protocol

from loyalty.platforms.http.protocol import Document, NewCode, NotThere, Page, Refused, Shop, WebhookReport
from loyalty.platforms.models import PlatformConnection
from loyalty.platforms.registry import LABELS
from loyalty.platforms.shopify.client import ShopifyClient
from loyalty.platforms.shopline.client import ShoplineClient
from loyalty.platforms.shopline_global.client import ShoplineGlobalClient
from loyalty.platforms.woocommerce.client import WooCommerceClient


class PlatformClient(Protocol):
    """What every platform can be asked. All of it may raise the errors of :mod:`loyalty.platforms.http.protocol`.

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
        used of its own. Only SHOPLINE in Asia can (:data:`RETURNS_ITS_OWN`).
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


# Whose cancel can return the platform's own credits and points.
RETURNS_ITS_OWN: Final = frozenset({"shopline"})

CLIENTS: Final[Mapping[str, Callable[[PlatformConnection], PlatformClient]]] = {
    "shopify": ShopifyClient,
    "woocommerce": WooCommerceClient,
    "shopline": ShoplineClient,
    "shopline_global": ShoplineGlobalClient,
}


def still_opens(connection: PlatformConnection) -> bool:
    """Whether the credentials of a connection that is said to be over still open the shop. Raises PlatformError."""
    try:
        CLIENTS[connection.platform](connection).check()
    except (Refused, NotThere):
        return False
    return True


def client_for(connection: PlatformConnection) -> PlatformClient:
    """The client of a connection. Raises Refused when it lacks credentials, or is switched off."""
    if not connection.may_be_called:
        label = LABELS[connection.platform]
        raise Refused(f"The connection to {label} is switched off or has no credentials yet.")
    return CLIENTS[connection.platform](connection)
