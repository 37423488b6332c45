"""What the menu says about webhooks."""

from django.http import HttpRequest

from loyalty.stores.active import may, store_or_none
from loyalty.stores.roles import Can
from loyalty.webhooks.endpoints import endpoints_of
from loyalty.webhooks.models import DisabledBecause


def endpoints_badge(request: HttpRequest) -> str:
    """How many endpoints were switched off because they failed, and wait for somebody; empty for none."""
    store = store_or_none(request)
    if store is None or not may(request, Can.MANAGE_WEBHOOKS):
        return ""
    count = endpoints_of(store).filter(disabled_because__in=(DisabledBecause.FAILING, DisabledBecause.GONE)).count()
    return str(count or "")
