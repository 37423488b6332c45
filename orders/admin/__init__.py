"""The back-office's pages about orders, reverts and customers."""

from orders.admin import bulk_cancel, customers, jobs, order_pages, privacy, reverts, settings

__all__ = ["bulk_cancel", "customers", "jobs", "order_pages", "privacy", "reverts", "settings"]
