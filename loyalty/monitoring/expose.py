"""The metrics as Prometheus reads them: requests of all processes of this web, and the state of the installation."""

import logging
import os
from collections.abc import Iterator
from typing import Final

from django.conf import settings
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from loyalty.core.logs import what_failed
from loyalty.monitoring.count_requests import REGISTRY
from loyalty.monitoring.metrics import READABLE, families
from loyalty.monitoring.state import Reader

logger = logging.getLogger(__name__)
reader: Final = Reader()


def metrics(request: HttpRequest) -> HttpResponse:
    """Every metric, to whoever says the token; for anybody else there is nothing here."""
    said = request.headers.get("Authorization", "")
    if not settings.METRICS_TOKEN or not constant_time_compare(said, f"Bearer {settings.METRICS_TOKEN}"):
        return HttpResponse(status=404)
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def exposition() -> bytes:
    """The text of all metrics."""
    return generate_latest(_requests()) + generate_latest(_state())


def _requests() -> CollectorRegistry:
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return registry


def _state() -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(_StateCollector())
    return registry


class _StateCollector(Collector):
    def collect(self) -> Iterator[Metric]:
        """The state, or that it cannot be read."""
        try:
            state = reader.read()
        except DatabaseError as error:
            logger.warning("The state cannot be read: %s", what_failed(error))
            yield READABLE.family([((), 0)])
            return
        yield from families(state)
