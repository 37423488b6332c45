"""The page *Is everything well?*: for operators alone, with and without a store, and when nothing can be read."""

import pytest
from django.db import DatabaseError
from django.test import Client

from loyalty import __version__
from loyalty.backoffice.pages.monitoring import admin as page
from loyalty.jobs.periodic import JOBS
from loyalty.journal.models import JobRun, LedgerCheck
from loyalty.stores.models import Role
from loyalty.web.addresses import common_page, page_of
from tests import factories
from tests.factories import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]
ADDRESS = common_page("admin:journal_jobrun_changelist")


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(factories.make_user(is_superuser=True), backend="django.contrib.auth.backends.ModelBackend")
    return client


def said(client: Client) -> str:
    response = client.get(ADDRESS)
    assert response.status_code == 200
    return response.content.decode()


def all_ran() -> None:
    JobRun.objects.bulk_create(JobRun(name=name, started_at=NOW, seconds=0.1) for name in JOBS)


def test_a_new_installation_is_told_to_start_its_worker(operator: Client) -> None:
    text = said(operator)
    assert "Something is wrong" in text
    assert "No job has run yet." in text
    assert "There is no store yet" in text


def test_when_everything_is_well_it_says_so(operator: Client) -> None:
    all_ran()
    text = said(operator)
    assert "Everything is well" in text
    assert f"Loyalty Back-Office {__version__}" in text


def test_what_is_wrong_leads_to_its_page(operator: Client) -> None:
    all_ran()
    store = factories.make_store()
    LedgerCheck.objects.create(store=store, checked_at=NOW, faults=2)
    JobRun.objects.filter(name="loyalty.prune").update(error="boom", failed_at=NOW)
    text = said(operator)
    assert "The last checks found 2 faults." in text
    assert common_page("admin:journal_ledgercheck_changelist") in text
    assert f'href="{page_of(store, "admin:orders_problem_changelist")}"' in text


def test_a_database_that_is_too_slow_is_said(operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(now: object) -> None:
        raise DatabaseError

    monkeypatch.setattr(page, "read_state", slow)
    assert "The database did not say in time" in said(operator)


@pytest.mark.parametrize("role", [Role.OWNER, Role.VIEWER])
def test_staff_of_a_store_have_no_business_here(client: Client, role: Role) -> None:
    user = factories.make_user((factories.make_store(), role))
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(ADDRESS).status_code == 403
    assert ADDRESS not in client.get(common_page("admin:index"), follow=True).content.decode()
