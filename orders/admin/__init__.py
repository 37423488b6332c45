"""The back-office's pages about orders, reverts, redemptions and customers."""

from orders.admin.bulk_cancels import page as bulk_cancels
from orders.admin.customers import admin as customers
from orders.admin.customers import privacy_page
from orders.admin.desk import jobs_page
from orders.admin.orders import admin as orders
from orders.admin.redemptions import admin as redemptions
from orders.admin.redemptions import rewards_page
from orders.admin.reverts import admin as reverts
from orders.admin.settings import admin as settings

__all__ = [
    "bulk_cancels",
    "customers",
    "jobs_page",
    "orders",
    "privacy_page",
    "redemptions",
    "reverts",
    "rewards_page",
    "settings",
]
