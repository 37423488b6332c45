"""Asking a shop platform: the client of a store's connection."""

from django.utils.translation import gettext as _

from loyalty.platforms.http.protocol import NotThere, PlatformClient, Refused
from loyalty.platforms.models import PlatformConnection
from loyalty.platforms.registry import PLATFORMS


def still_opens(connection: PlatformConnection) -> bool:
    """Whether the credentials of a connection that is said to be over still open the shop. Raises PlatformError."""
    try:
        PLATFORMS[connection.platform].client(connection).check()
    except (Refused, NotThere):
        return False
    return True


def client_for(connection: PlatformConnection) -> PlatformClient:
    """The client of a connection. Raises Refused when it lacks credentials, or is switched off."""
    platform = PLATFORMS[connection.platform]
    if not connection.may_be_called:
        raise Refused(
            _("The connection to %(label)s is switched off or has no credentials yet.") % {"label": platform.label}
        )
    return platform.client(connection)
