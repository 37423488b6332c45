"""Taking everything of a store away: asked for, written, downloaded, on a phone."""

import zipfile
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from loyalty.jobs.periodic import run_job
from loyalty.stores.models import Role, Store
from tests import factories
from tests.addresses import reverse
from tests.browser.screens import PHONE, looked_at
from tests.factories import NOW

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

Visit = Callable[..., Page]


def test_an_owner_takes_everything_away(visit: Visit, store: Store) -> None:
    factories.grant("points", factories.make_customer(store), 30)
    page = visit(reverse("admin:orders_storebundle_changelist"), role=Role.OWNER, **PHONE)
    looked_at(page, "bundle-none")
    page.get_by_role("button", name="Write the file").click()
    expect(page.get_by_role("heading", name="The file is being written")).to_be_visible()
    run_job("orders.write_bundles", NOW)
    # It loads itself again.
    expect(page.get_by_role("heading", name="Your file is ready")).to_be_visible()
    looked_at(page, "bundle-ready")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    with zipfile.ZipFile(download.value.path()) as bundle:
        assert "ndjson/point_lots.ndjson" in bundle.namelist()
