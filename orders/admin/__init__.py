"""The back-office's pages about orders, returns, redemptions and customers."""

# What is imported here registers itself; a name that a folder has already would hide the folder.
from orders.admin.balance_imports import admin as balance_imports_admin
from orders.admin.bulk_cancels import page as bulk_cancels_page
from orders.admin.bundles import page as bundles_page
from orders.admin.customers import admin as customers_admin
from orders.admin.customers import privacy_page
from orders.admin.desk import jobs_page
from orders.admin.orders import admin as orders_admin
from orders.admin.redemptions import admin as redemptions_admin
from orders.admin.redemptions import rewards_page
from orders.admin.reverts import admin as reverts_admin
from orders.admin.settings import admin as settings_admin

__all__ = [
    "balance_imports_admin",
    "bulk_cancels_page",
    "bundles_page",
    "customers_admin",
    "jobs_page",
    "orders_admin",
    "privacy_page",
    "redemptions_admin",
    "reverts_admin",
    "rewards_page",
    "settings_admin",
]
