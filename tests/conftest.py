"""What tests of several packages need."""

import gc
import os
from collections.abc import Iterator
from contextlib import ExitStack
from contextvars import ContextVar
from pathlib import Path

import psycopg
import pytest
import time_machine
from django.core.servers.basehttp import WSGIRequestHandler
from django.db import connection
from django.template import Context, Template
from django.test.signals import template_rendered
from django.utils.safestring import SafeString
from hypothesis import HealthCheck, settings
from pytest_django import DjangoDbBlocker

from loyalty.database import named_stores
from loyalty.embedded.layout import Layout
from loyalty.embedded.prepared import PREPARED_DATABASE, is_prepared, prepare_from
from loyalty.serving.call_room import give_call_room
from loyalty.stores.models import Store
from tests import factories
from tests.database import as_the_web, emptied_by_the_owner
from tests.layouts import new_layout
from tests.platforms_imitated.fixtures import (
    imitated_shopify,
    imitated_shopline,
    imitated_shopline_global,
    imitated_woocommerce,
)

__all__ = ["imitated_shopify", "imitated_shopline", "imitated_shopline_global", "imitated_woocommerce"]

_ROOT = Path(__file__).resolve().parents[1]

# How long an example takes says something about the machine, and nothing about the example.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_configure() -> None:
    """Keep Python's own housekeeping small: it is a fifth of what tests take."""
    # Nearly all that is found is modules and tests, which stay.
    gc.set_threshold(50_000, 20, 1_000)
    for function in (pytest.Function.setup, pytest.Function.runtest, WSGIRequestHandler.handle):
        give_call_room(function)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins first where several processes share the tests: begun last, all others wait for it.

    A test that was asked for hundreds of rounds takes as long as they take, whatever its file says.
    """
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: item.get_closest_marker("slow") is None)
    if os.environ.keys() & {"ROUNDS", "HYPOTHESIS_PROFILE"}:
        for item in items:
            item.add_marker(pytest.mark.timeout(0), append=False)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Leave what was made so far to itself."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def every_store_named() -> Iterator[None]:
    """A test sees all stores, in its threads too; requests and jobs see what they name, as they do outside of tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(named_stores, "_named", ContextVar("stores_named", default=named_stores.EVERY))
        yield


@pytest.fixture(scope="session", autouse=True)
def whole_templates_tell(django_test_environment: None) -> Iterator[None]:
    """Only a template that is rendered for itself tells the test client so, not the eighty that a page includes."""

    def render(template: Template, context: Context) -> SafeString:
        if context.template is template:
            template_rendered.send(sender=template, template=template, context=context)
        return template.nodelist.render(context)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Template, "_render", render)
        yield


@pytest.fixture
def frozen_clock() -> Iterator[time_machine.Traveller]:
    """The clock stands still until it is moved; at first it is when the factories' examples happen."""
    with time_machine.travel(factories.NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def store(db: None) -> Store:
    """A store in Taipei that sells in USD."""
    return factories.make_store()


@pytest.fixture
def layout() -> Iterator[Layout]:
    """An empty folder for servers of the test's own."""
    with new_layout() as folder:
        yield folder


@pytest.fixture(scope="session")
def payloads() -> Path:
    """The folder of real payloads: PLATFORM_PAYLOADS, or beside the project. Tests that need it are skipped without."""
    folder = Path(os.environ.get("PLATFORM_PAYLOADS", _ROOT.parent / "shared" / "platform-payloads"))
    if not folder.is_dir():
        pytest.skip(f"no platform payloads in {folder}")
    return folder


@pytest.fixture(scope="session")
def own_server() -> Iterator[psycopg.Connection | None]:
    """The server that runs for these tests alone, held by one worker at a time; None where the environment names it."""
    if "TESTS_OWN_SERVER" not in os.environ:
        yield None
        return
    facts = connection.settings_dict
    with psycopg.connect(host=facts["HOST"], user=facts["USER"], dbname="postgres", autocommit=True) as server:
        server.execute("SELECT pg_advisory_lock(1)")
        yield server


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, own_server: psycopg.Connection | None
) -> None:
    """Test databases are copies of the prepared one, where our server has it."""
    if own_server and is_prepared(own_server):
        connection.settings_dict["TEST"]["TEMPLATE"] = PREPARED_DATABASE


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, own_server: psycopg.Connection | None
) -> Iterator[None]:
    """The test database, on which every test is what the web is.

    The first one that migrations make on our server is prepared for the other workers, which wait for it, and for the
    runs that follow.
    """
    if own_server:
        if not is_prepared(own_server):
            connection.close()
            prepare_from(connection.settings_dict["NAME"], own_server)
        own_server.execute("SELECT pg_advisory_unlock(1)")
    with emptied_by_the_owner(), ExitStack() as stack:
        with django_db_blocker.unblock():
            stack.enter_context(as_the_web())
        yield
