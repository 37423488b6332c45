"""The back-office's pages about orders, reverts, redemptions and customers."""

from orders.admin import bulk_cancel, customers, jobs, order_pages, privacy, redemptions, reverts, rewards, settings

__all__ = [
    "bulk_cancel",
    "customers",
    "jobs",
    "order_pages",
    "privacy",
    "redemptions",
    "reverts",
    "rewards",
    "settings",
]
