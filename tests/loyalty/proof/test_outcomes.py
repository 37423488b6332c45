"""The outcome of a ledger check is kept for each store, by the job and by the command (H5)."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from loyalty.journal.models import LedgerCheck
from loyalty.proof.outcomes import EVERY_SO_OFTEN, check_ledger, last_check
from loyalty.stores.models import Role, Store
from loyalty.web.addresses import common_page, page_of
from tests import factories
from tests.addresses import reverse
from tests.factories import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]
PAGE = "admin:journal_ledgercheck_changelist"


def broken_store() -> Store:
    """A store with one lot that does not agree with its movements."""
    store = factories.make_store()
    lot = factories.grant("points", factories.make_customer(store), 10)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("UPDATE points_pointlot SET remaining = 7 WHERE id = %s", [lot.pk])
    return store


def outcome(store: Store) -> LedgerCheck:
    check = last_check(store)
    assert check is not None
    return check


def test_h5_the_job_keeps_the_outcome_of_every_store_once_a_day() -> None:
    sound, broken = factories.make_store(), broken_store()
    assert check_ledger(NOW) == {"stores": 2, "faults": 1}
    assert (outcome(sound).faults, outcome(sound).examples, outcome(sound).checked_at) == (0, [], NOW)
    assert outcome(broken).faults == 1
    assert "7 remain, but its movements add up to 10" in outcome(broken).examples[0]
    assert broken.slug not in outcome(broken).examples[0]
    assert check_ledger(NOW + EVERY_SO_OFTEN - timedelta(seconds=1)) == {"stores": 0, "faults": 0}
    assert check_ledger(NOW + EVERY_SO_OFTEN) == {"stores": 2, "faults": 1}
    assert outcome(sound).checked_at == NOW + EVERY_SO_OFTEN


def test_h5_the_command_keeps_it_too() -> None:
    sound, broken = factories.make_store(), broken_store()
    with pytest.raises(CommandError, match="1 faults"):
        call_command("check_ledger", store=broken.slug, stdout=StringIO())
    assert not LedgerCheck.objects.for_store(sound).exists()
    assert outcome(broken).faults == 1
    call_command("check_ledger", store=sound.slug, stdout=StringIO())
    assert outcome(sound).faults == 0


def signed_in(*memberships: tuple[Store, Role], **fields: Any) -> Client:
    client = Client()
    client.force_login(factories.make_user(*memberships, **fields), backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_t1_t2_staff_see_their_own_stores_check_and_operators_all() -> None:
    sound, broken = factories.make_store(name="Sound"), broken_store()
    viewer = signed_in((sound, Role.VIEWER))
    assert "have not been checked yet" in viewer.get(reverse(PAGE)).content.decode()
    check_ledger(NOW)
    page = viewer.get(reverse(PAGE)).content.decode()
    assert "The books of Sound agree" in page
    assert broken.name not in page
    theirs = signed_in((broken, Role.VIEWER)).get(page_of(broken, PAGE)).content.decode()
    assert "did not agree" in theirs
    assert "7 remain, but its movements add up to 10" in theirs
    operator = signed_in(is_superuser=True).get(common_page(PAGE)).context
    assert [(row["store"], row["faults"]) for row in operator["checks"]] == [(broken, 1), (sound, 0)]
    other = reverse("admin:journal_ledgercheck_change", args=[outcome(broken).pk])
    assert viewer.get(other).status_code == 404
    assert viewer.get(common_page(PAGE)).headers["Location"] == page_of(sound, PAGE)
