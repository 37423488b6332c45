"""The foundation: stores, the ledger engine, platforms, the back-office's frame, jobs; it knows no orders."""

from loyalty.celery import app as celery_app

__all__ = ["__version__", "celery_app"]

__version__ = "0.1.0"
