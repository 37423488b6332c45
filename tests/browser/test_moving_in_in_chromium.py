"""Moving in as a newcomer sees it, on a phone in the dark: sent in parts, answered, rehearsed, started, taken back."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from loyalty.jobs.periodic import run_job
from loyalty.stores.models import Role, Store
from orders.models import BalanceImport
from orders.services.balance_imports.jobs import JOB
from tests.addresses import reverse
from tests.browser.screens import PHONE_SCREEN, looked_at
from tests.factories import NOW

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]
LINES = (
    "Kunde;Wer;Guthaben;Punkte;Gültig bis\n"
    "71;ana@shop.example;1.250,50 €;120;03/04/2027\n"
    "72;ben@shop.example;8,00 €;viele;03/04/2027\n"
    "73;ana@shop.example;1,00 €;=1+1;\n"
    "74;cleo@shop.example;;55;01/12/2026\n"
    "75;ana@shop.example;2,00 €;0;\n"
)


def test_a_newcomer_moves_in_with_a_file_of_his_own(visit: Callable[..., Page], store: Store, tmp_path: Path) -> None:
    file = tmp_path / "alte-kasse.csv"
    file.write_bytes(LINES.encode("cp1252"))
    page = visit(
        reverse("admin:orders_balanceimport_changelist"), role=Role.OWNER, viewport=PHONE_SCREEN, color_scheme="dark"
    )
    expect(page.get_by_text("Nothing has been imported yet")).to_be_visible()
    looked_at(page, "moving-in-empty")
    page.get_by_role("link", name="Import a file").click()
    expect(page.get_by_text("How moving in works")).to_be_visible()
    looked_at(page, "moving-in-bring")
    page.get_by_label("CSV or Excel file").set_input_files(file)
    page.get_by_role("button", name="Send the file").click()
    expect(page.get_by_text("One thing can be read in two ways")).to_be_visible()
    page.get_by_label("Kunde").select_option(label="Customer's number")
    page.get_by_label("Wer").select_option(label="E-mail address")
    looked_at(page, "moving-in-layout")
    page.get_by_label("Days such as").select_option(label="Day first: 31/12/2027")
    page.get_by_role("button", name="Look again with these choices").click()
    expect(page.get_by_text("120 points, last day Apr 3, 2027")).to_be_visible()
    page.get_by_label("Keep these choices").fill("Old till")
    looked_at(page, "moving-in-layout-answered")
    page.get_by_role("button", name="Rehearse, write nothing yet").click()
    expect(page.get_by_text("rows so far. Nothing is written.")).to_be_visible()
    looked_at(page, "moving-in-reading")
    run_job(JOB, NOW)
    expect(page.get_by_role("heading", name="Compare with the old system, and start")).to_be_visible()
    looked_at(page, "moving-in-rehearsed")
    page.get_by_label("Member points").fill("175")
    page.get_by_role("button", name="Start: import").click()
    expect(page.get_by_text("The totals differ from those of the old system")).to_be_visible()
    looked_at(page, "moving-in-differs")
    page.get_by_label("Why the totals differ").fill("Two rows are mended later")
    page.get_by_role("button", name="Start: import").click()
    expect(page.get_by_text("are written.")).to_be_visible()
    looked_at(page, "moving-in-running")
    run_job(JOB, NOW)
    expect(page.get_by_text("The ledger agrees with the rehearsal")).to_be_visible()
    looked_at(page, "moving-in-done")
    page.get_by_role("link", name="Certificate").click()
    expect(page.get_by_text("SHA-256")).to_be_visible()
    looked_at(page, "moving-in-certificate")
    page.get_by_role("link", name="Back to the import").click()
    page.get_by_role("link", name="Take it back…").click()
    expect(page.get_by_text("Nothing of it was spent.")).to_be_visible()
    looked_at(page, "moving-in-take-back")
    page.get_by_role("button", name="Take all of it back").click()
    expect(page.get_by_text("It is being taken back:")).to_be_visible()
    run_job(JOB, NOW)
    expect(page.get_by_text("Taken back", exact=True).first).to_be_visible()
    assert BalanceImport.objects.for_store(store).get().layout["shape"]["encoding"] == "windows-1252"
