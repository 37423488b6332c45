"""What the code as a whole keeps to: who goes past the store's door, how long functions are, whose clock counts."""

import ast
import re
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted(
    path
    for package in ("loyalty", "orders", "credits", "points")
    for path in (ROOT / package).rglob("*.py")
    if "migrations" not in path.parts
)

# Who may name rows without naming their store (T1): the engine, whose callers hold rows of one store; jobs, which work
# through all stores; writers of many rows, which put the store into each; readers that start from a row of one named
# store. The list only shrinks.
UNSCOPED = {
    "loyalty/api/idempotency.py",
    "loyalty/backoffice/forms.py",
    "loyalty/proof/outcomes.py",
    "loyalty/jobs/problems.py",
    "loyalty/ledger/earned.py",
    "loyalty/ledger/expire.py",
    "loyalty/ledger/history.py",
    "loyalty/ledger/ledger.py",
    "loyalty/ledger/staff_limits.py",
    "loyalty/ledger/merge.py",
    "loyalty/ledger/posting.py",
    "loyalty/notices/deliver.py",
    "loyalty/notices/write.py",
    "loyalty/outbox/deliver.py",
    "loyalty/outbox/send.py",
    "loyalty/platforms/webhooks/prune.py",
    "loyalty/platforms/connections/repair.py",
    "loyalty/stores/actors.py",
    "loyalty/stores/identify.py",
    "loyalty/stores/keys.py",
    "loyalty/stores/merged.py",
    "loyalty/store_settings/sections.py",
    "orders/admin/orders/filters.py",
    "orders/admin/reverts/admin.py",
    "orders/api/reverts/reverts.py",
    "orders/services/reverts/apply.py",
    "orders/services/automation/cancel_unpaid.py",
    "orders/services/bulk_cancels/run.py",
    "orders/services/codes/uses.py",
    "orders/services/intake/webhooks.py",
    "orders/services/automation/run_rules.py",
    "orders/services/automation/expire_payments.py",
    "orders/services/backtests/histories.py",
    "orders/services/intake/poll.py",
    "orders/services/customers/remind.py",
    "orders/services/backtests/rules.py",
    "orders/services/earned_points/shortfalls.py",
    "orders/services/reverts/warnings.py",
}


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body, without the docstring."""
    body = function.body[1:] if ast.get_docstring(function) and len(function.body) > 1 else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1


def test_t1_who_may_go_past_the_stores_door() -> None:
    assert {name(path) for path in MODULES if ".unscoped" in path.read_text()} == UNSCOPED
    assert len(UNSCOPED) <= 38


def test_functions_are_short() -> None:
    lengths = [length(function) for path in MODULES for function in functions(path)]
    assert statistics.median(lengths) <= 10
    assert statistics.quantiles(lengths, n=10)[-1] <= 30


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_modules_are_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) < 400


@pytest.mark.parametrize(
    ("pattern", "allowed"),
    [
        # Whoever reads the clock hands it on; a database has a clock of its own, and nobody's tests can set it.
        (r"auto_now\b", set()),
        (r"auto_now_add", {"loyalty/stores/models.py"}),
        (r"CURRENT_TIMESTAMP|clock_timestamp|(?<![.\w])now\(\)|functions import .*\bNow\b", set()),
        (r"datetime\.(utc)?now\(|date\.today\(", set()),
        # One more version of an order is written by ``Order.touch``, and of many orders in one statement.
        (
            r"\bversion \+= 1",
            {"orders/models/order.py", "orders/services/write_orders.py", "orders/services/intake/ingest.py"},
        ),
        (r"django\.dispatch|post_save|pre_save", set()),
        # What the domain refuses is a whole sentence: it follows a full stop, and nothing says the same before it.
        (r": \{\w+\.detail\}", set()),
        (r"\bTODO\b|\bFIXME\b|\bXXX\b(?! X)", set()),
    ],
)
def test_nobody_uses(pattern: str, allowed: set[str]) -> None:
    found = {name(path) for path in MODULES if re.search(pattern, path.read_text())}
    assert found - allowed == set()


def test_the_back_office_names_nothing_of_what_stands_on_it() -> None:
    """Not by a string either: each app hands in its part of the menu."""
    foundation = [path for path in MODULES if name(path).startswith("loyalty/backoffice/")]
    assert not [name(path) for path in foundation if re.search(r"\"(orders|credits|points)\.", path.read_text())]


def test_nothing_is_imported_inside_a_function() -> None:
    inside = {
        f"{name(path)}: {function.name}"
        for path in MODULES
        for function in functions(path)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert inside == set()


def test_no_module_is_named_after_nothing() -> None:
    assert not {path.stem for path in MODULES} & {"utils", "helpers", "common", "misc"}


def test_t5_tests_name_the_pages_of_a_store_with_their_store() -> None:
    """Outside a request Django's ``reverse`` knows no page of a store: ``tests.addresses.reverse`` names the store."""
    names = re.compile(r'(?<!, )"admin:(?!password|stores_store)[a-z]+_')
    sources = {path: path.read_text() for path in (ROOT / "tests").rglob("test_*.py")}
    careless = [path for path, text in sources.items() if "from django.urls import reverse\n" in text]
    assert not [path for path in careless if names.search(sources[path])], "use 'from tests.addresses import reverse'"
