"""The embedded Valkey: keeps its queue over a crash, is adopted, stops without a trace."""

import os
import signal

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from loyalty.embedded.layout import Layout
from loyalty.embedded.valkey import ValkeyServer


def client_of(layout: Layout) -> redis.Redis:
    return redis.Redis(unix_socket_path=str(layout.valkey_socket), retry=Retry(NoBackoff(), 0))


def test_a_killed_server_keeps_its_queue(layout: Layout) -> None:
    server = ValkeyServer(layout=layout)
    server.start()
    with client_of(layout) as client:
        client.rpush("queue", *range(100))
        # The log of writes is on disk once a second, or when asked for.
        client.config_set("appendfsync", "always")
        client.rpush("queue", 100)
    assert server.process is not None
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()

    again = ValkeyServer(layout=layout)
    again.start()
    with client_of(layout) as client:
        assert client.llen("queue") == 101
    again.stop()


def test_a_server_that_is_left_over_is_adopted_and_stopped(layout: Layout) -> None:
    left_over = ValkeyServer(layout=layout)
    left_over.start()
    adopting = ValkeyServer(layout=layout)
    adopting.start()
    assert adopting.process is None
    adopting.stop()
    assert left_over.process is not None
    assert left_over.process.wait(10) == 0


def test_stopping_leaves_no_process_and_no_socket(layout: Layout) -> None:
    server = ValkeyServer(layout=layout)
    server.start()
    process = server.process
    assert process is not None
    server.stop()
    assert process.poll() == 0
    assert not layout.valkey_socket.exists()
    with client_of(layout) as client, pytest.raises(redis.ConnectionError):
        client.ping()
