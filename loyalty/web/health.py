"""Whether this process can do its work, for load balancers and container health checks."""

import logging

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis import Redis
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


@never_cache
@require_safe
def healthz(_request: HttpRequest) -> JsonResponse:
    """200 while PostgreSQL answers, else 503. Redis is reported, but its absence is no reason to stop serving."""
    database, redis = _database_answers(), _redis_answers()
    body = {"database": "ok" if database else "gone", "redis": "ok" if redis else "gone"}
    return JsonResponse(body, status=200 if database else 503)


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        logger.warning("PostgreSQL does not answer.")
        return False
    return True


def _redis_answers() -> bool:
    try:
        with Redis.from_url(settings.REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5) as client:
            return bool(client.ping())
    except RedisError:
        logger.warning("Redis does not answer.")
        return False
