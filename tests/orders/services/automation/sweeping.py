"""Running the jobs of automatic cancelling as cron would, and looking at what came of it."""

from datetime import timedelta
from io import StringIO
from typing import Any, Final

from django.core.management import call_command
from django.db.models import Model

from loyalty.stores.models import Store
from orders.kinds import LEDGERS
from tests.examples import Shop

TICK: Final = timedelta(microseconds=1)


def run_jobs(*names: str) -> list[str]:
    """Run the jobs at the clock's instant: those two that cancel by themselves, unless others are named."""
    output = StringIO()
    call_command("run_jobs", *(names or ("orders.expire_overdue_payments", "orders.auto_cancel")), stdout=output)
    return output.getvalue().splitlines()


def order_of(shop: Shop, order: str) -> Any:
    """The order as the API shows it."""
    return shop.get(f"/orders/{order}/").json()


def fail(shop: Shop, order: str, status: str = "failed") -> None:
    """Have the order's payment fall through, as a client of the API says it."""
    answer = shop.send("PATCH", f"/orders/{order}/", {"payment_status": status})
    assert answer.status_code == 200, answer.content


def returned(shop: Shop, order: str) -> tuple[str, str | None, str, str | None, int]:
    """Status, and per kind what came of it: its revert status and how much is back."""
    facts = order_of(shop, order)
    names = ("status", "credit_revert_status", "credits_reverted", "points_revert_status", "points_reverted")
    return tuple(facts[name] for name in names)


def settings(shop: Shop, **auto_cancel: Any) -> None:
    """Change what the shop does when a payment falls through."""
    answer = shop.send("PATCH", "/settings/", {"auto_cancel": auto_cancel})
    assert answer.status_code == 200, answer.content


def balance(shop: Shop, customer: str) -> tuple[str, int]:
    """What the customer can use of each kind."""
    both = shop.get(f"/customers/{customer}/balance/").json()
    credit = both["credits"][0]["available"] if both["credits"] else "0.00"
    return credit, both["points"]["available"]


def expiries(store: Store) -> dict[tuple[str, int], Any]:
    """Every lot's expiry, by kind and id."""
    found: dict[tuple[str, int], Any] = {}
    for kind, ledger in LEDGERS.items():
        lots: list[Model] = list(ledger.tables.lot.objects.for_store(store))
        found |= {(kind, lot.pk): lot.expires_at for lot in lots}  # type: ignore[attr-defined]
    return found
