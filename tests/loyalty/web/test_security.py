"""The security policy, and a Redis that is gone."""

import logging
import re
import time

import pytest
from celery import Celery
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.test import Client
from kombu.exceptions import OperationalError as QueueGone

from loyalty.core.cache import ForgivingRedisCache
from loyalty.core.logs import DiscreetFormatter
from loyalty.web.addresses import common_page

NOBODY = "unix:///nonexistent/valkey.sock"


@pytest.mark.django_db
def test_the_policy_is_strict_outside_the_admin(client: Client) -> None:
    outside = client.get("/").headers["Content-Security-Policy"]
    assert "unsafe" not in outside
    assert "default-src 'none'" in outside
    admin = client.get(common_page("admin:index")).headers["Content-Security-Policy"]
    assert "script-src 'self' 'unsafe-eval';" in admin
    for policy in (outside, admin):
        assert "frame-ancestors 'none'" in policy


@pytest.mark.django_db
def test_the_docs_page_needs_nothing_that_the_policy_forbids(client: Client) -> None:
    page = client.get(common_page("api-docs")).content.decode()
    assert re.findall(r"<style|style=|<script(?![^>]*src=)|\son\w+=", page) == []


def test_the_front_page_is_the_admin(client: Client) -> None:
    assert client.get("/").headers["Location"] == common_page("admin:index")


# What tries again and again takes ten and more; a machine that has much else to do takes some.
_AT_ONCE = 5


@pytest.fixture
def cache_without_redis() -> BaseCache:
    return ForgivingRedisCache(NOBODY, {"OPTIONS": caches.settings["default"]["OPTIONS"]})


def test_without_redis_the_cache_is_empty_and_quick(cache_without_redis: BaseCache) -> None:
    started = time.monotonic()
    cache_without_redis.set("key", 1)
    cache_without_redis.set_many({"a": 1})
    cache_without_redis.delete_many(["a"])
    assert cache_without_redis.get("key", "default") == "default"
    assert cache_without_redis.get_many(["key"]) == {}
    assert cache_without_redis.add("key", 1)
    assert cache_without_redis.incr("key", 3) == 3
    assert not cache_without_redis.has_key("key")
    assert not cache_without_redis.touch("key")
    assert not cache_without_redis.delete("key")
    assert time.monotonic() - started < _AT_ONCE


def test_publishing_without_redis_fails_at_once() -> None:
    app = Celery("elsewhere")
    app.config_from_object("django.conf:settings", namespace="CELERY")
    app.conf.broker_url = f"redis+socket://{NOBODY.removeprefix('unix://')}"
    started = time.monotonic()
    with pytest.raises(QueueGone):
        app.send_task("loyalty.deliver_outbox")
    assert time.monotonic() - started < _AT_ONCE


def test_the_log_keeps_rows_to_itself() -> None:
    text = "duplicate key value\nDETAIL:  Key (email)=(ana@example.com) already exists.\nHINT: none"
    record = logging.LogRecord("orders", logging.ERROR, __file__, 1, text, None, None)
    assert "ana@example.com" not in DiscreetFormatter("%(message)s").format(record)
    assert "duplicate key value" in DiscreetFormatter("%(message)s").format(record)
