"""Where Django's admin finds the pages of the foundation. Those about orders are in :mod:`orders.admin`."""

from loyalty.backoffice.pages.monitoring import admin as monitoring
from loyalty.backoffice.pages.outbox import admin as outbox
from loyalty.backoffice.pages.platforms import connections, deliveries
from loyalty.backoffice.pages.staff import admin as staff
from loyalty.backoffice.pages.stores import admin as stores
from loyalty.backoffice.pages.timeline import admin as timeline
from loyalty.backoffice.pages.webhooks import endpoints

__all__ = ["connections", "deliveries", "endpoints", "monitoring", "outbox", "staff", "stores", "timeline"]
