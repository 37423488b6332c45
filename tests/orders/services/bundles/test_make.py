"""A bundle that was asked for is written by the job, kept for a time, and gone with whoever is erased."""

import io
from datetime import timedelta
from unittest.mock import patch

import pytest

from loyalty.core.errors import NotFound
from loyalty.jobs.periodic import run_job
from loyalty.journal.models import JournalEntry
from loyalty.stores.models import Store
from orders.models import BundleState, StoreBundle, StoreBundlePart
from orders.services.bundles import keep, make
from orders.services.bundles.ask import JOB, ask_for_bundle, fetch_bundle
from orders.services.bundles.keep import KEEP, parts_of
from orders.services.customers.forget_files import forget_files
from tests import factories
from tests.factories import ACTOR, NOW
from tests.orders.services.bundles.moving import manifest_of, rows_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]


def asked(store: Store) -> StoreBundle:
    return ask_for_bundle(store=store, actor=ACTOR, now=NOW)


def now_of(bundle: StoreBundle) -> StoreBundle:
    bundle.refresh_from_db()
    return bundle


@pytest.mark.django_db(transaction=True)
def test_what_was_asked_for_is_written_whole_and_on_record() -> None:
    store = factories.make_store()
    factories.grant("points", factories.make_customer(store), 30)
    bundle = asked(store)
    with patch.object(keep, "PART", 1000):
        assert run_job(JOB, NOW) == {"bundles": 1, "postponed": 0}
    assert (now_of(bundle).state, bundle.rows_done) == (BundleState.READY, bundle.rows)
    # The job's time goes on while it works.
    assert bundle.finished_at is not None
    assert bundle.ends_at == bundle.finished_at + KEEP >= NOW + KEEP
    assert StoreBundlePart.unscoped.count() > 1
    file = io.BytesIO(b"".join(parts_of(fetch_bundle(store=store, bundle_id=bundle.pk, actor=ACTOR, now=NOW))))
    assert (len(file.getvalue()), len(rows_of(file, "customers"))) == (bundle.size, 1)
    assert manifest_of(file).sums["point_lots"] == [{"granted": "30", "remaining": "30"}]
    events = list(JournalEntry.objects.for_store(store).order_by("id").values_list("event", flat=True))
    assert events[-2:] == ["store.bundle_asked", "store.bundle_fetched"]
    assert run_job(JOB, NOW) == {"bundles": 0, "postponed": 0}


def test_a_store_has_one_file_at_a_time(store: Store) -> None:
    first = asked(store)
    assert asked(store) == first
    run_job(JOB, NOW)
    second = asked(store)
    assert list(StoreBundle.objects.for_store(store)) == [second]
    assert not StoreBundlePart.objects.for_store(store).exists()


def test_t1_nobody_fetches_another_store_s(store: Store) -> None:
    bundle = asked(store)
    run_job(JOB, NOW)
    with pytest.raises(NotFound, match="not there any more"):
        fetch_bundle(store=factories.make_store(), bundle_id=bundle.pk, actor=ACTOR, now=NOW)


def test_its_time_ends_and_it_is_deleted(store: Store) -> None:
    bundle = asked(store)
    run_job(JOB, NOW)
    run_job("loyalty.prune", NOW + KEEP - timedelta(hours=1))
    assert StoreBundlePart.objects.for_store(store).exists()
    with pytest.raises(NotFound, match="not there any more"):
        fetch_bundle(store=store, bundle_id=bundle.pk, actor=ACTOR, now=NOW + KEEP)
    run_job("loyalty.prune", NOW + KEEP + timedelta(hours=1))
    assert not StoreBundle.objects.for_store(store).exists()
    assert not StoreBundlePart.objects.for_store(store).exists()


def test_e8_a_killed_worker_s_bundle_is_begun_anew_after_its_lease(store: Store) -> None:
    bundle = asked(store)
    with patch.object(make, "write_bundle", side_effect=SystemExit), pytest.raises(SystemExit):
        run_job(JOB, NOW)
    assert run_job(JOB, NOW + timedelta(minutes=1)) == {"bundles": 0, "postponed": 0}
    assert run_job(JOB, NOW + timedelta(minutes=16)) == {"bundles": 1, "postponed": 0}
    assert now_of(bundle).attempts == 2


def test_what_cannot_be_written_is_given_up_after_three_times(store: Store) -> None:
    bundle = asked(store)
    with patch.object(make, "write_bundle", side_effect=OSError(28, "No space left on device")):
        for minutes in (0, 10, 20):
            assert run_job(JOB, NOW + timedelta(minutes=minutes)) == {"bundles": 0, "postponed": 1}
    assert (now_of(bundle).state, bundle.ends_at) == (BundleState.FAILED, None)
    assert "No space left" in bundle.failure


def test_whoever_is_erased_is_in_no_file(store: Store) -> None:
    """The one that is there goes; one that is being written meanwhile is written anew."""
    asked(store)
    run_job(JOB, NOW)
    forget_files(store)
    assert not StoreBundle.objects.for_store(store).exists()
    bundle = asked(store)

    def meanwhile(*_: object) -> int:
        if now_of(bundle).attempts == 1:
            forget_files(store)
        return 0

    with patch.object(make, "count_rows", meanwhile):
        assert run_job(JOB, NOW) == {"bundles": 1, "postponed": 1}
    assert (now_of(bundle).state, bundle.attempts) == (BundleState.READY, 2)
