"""Foundation of the back-office, and the place where its parts are put together."""

from loyalty.celery import app as celery_app

__all__ = ["celery_app"]
