"""The back-office's pages about orders, reverts and customers."""

from orders.admin import customers, jobs, order_pages, privacy, reverts, settings

__all__ = ["customers", "jobs", "order_pages", "privacy", "reverts", "settings"]
