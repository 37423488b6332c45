"""What the house keeps to: who goes past the store's door, how long functions are, and that its signs are true."""

import ast
import re
import statistics
import tomllib
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
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
# through all stores, and who counts what waits for them; writers of many rows, which put the store into each; readers
# that start from a row of one named store. The list only shrinks.
UNSCOPED = {
    "loyalty/api/idempotency.py",
    "loyalty/backoffice/forms.py",
    "loyalty/proof/outcomes.py",
    "loyalty/jobs/problems.py",
    "loyalty/ledger/earned.py",
    "loyalty/ledger/expire.py",
    "loyalty/ledger/history.py",
    "loyalty/ledger/ledger.py",
    "loyalty/ledger/merge.py",
    "loyalty/monitoring/backlogs.py",
    "loyalty/notices/deliver.py",
    "loyalty/notices/write.py",
    "loyalty/outbox/deliver.py",
    "loyalty/outbox/send.py",
    "loyalty/platforms/connections/repair.py",
    "loyalty/stores/actors.py",
    "loyalty/customers/identify.py",
    "loyalty/stores/keys.py",
    "loyalty/customers/merged.py",
    "loyalty/store_settings/sections.py",
    "orders/admin/reverts/admin.py",
    "orders/api/reverts/reverts.py",
    "orders/services/reverts/apply.py",
    "orders/services/automation/backlogs.py",
    "orders/services/automation/cancel_unpaid.py",
    "orders/services/bulk_cancels/run.py",
    "orders/services/codes/uses.py",
    "orders/services/intake/process_webhooks.py",
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
    assert len(UNSCOPED) <= 37


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
        # One clock for all processes (ADR 0056).
        (
            r"timezone\.(now|localdate)\b",
            {"loyalty/core/clock.py", "loyalty/management/commands/quickstart.py"},
        ),
        (r"clock_timestamp", {"loyalty/core/clock.py"}),
        (r"CURRENT_TIMESTAMP|(?<![.\w])now\(\)|functions import .*\bNow\b", set()),
        (r"datetime\.(utc)?now\(|date\.today\(", set()),
        # One more version of an order is written by ``Order.touch``, and of many orders in one statement.
        (
            r"\bversion \+= 1",
            {"orders/models/order.py", "orders/services/write_orders.py", "orders/services/intake/ingest.py"},
        ),
        (r"django\.dispatch|post_save|pre_save", set()),
        # What the domain refuses is a whole sentence: it follows a full stop, and nothing says the same before it.
        (r": \{\w+\.detail\}", set()),
        # Counts are written as the language of who reads writes them (``count_text``).
        (r":,\}", set()),
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


# ---- The signs: what documents and docstrings say of the house is so.

DOCUMENTS = sorted({*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")} - {ROOT / "CHANGELOG.md"})
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
PICTURED = (
    "orders ask the ledgers to give back what was spent; nobody imports upwards",
    "the subjects of orders",
    "the foundation, from the pages down to what knows nothing",
)
# Names of rooms that say what they are to whoever has never been here; all others are words of the glossary.
PLAIN = {
    "accounts", "admin", "answers", "api", "automation", "backend", "commands", "connections", "customers",
    "database", "demo", "exporting", "http", "invitations", "jobs", "lists", "loyalty", "management", "models",
    "openapi", "orders", "pages", "privacy", "requests", "resources", "rules", "services", "settings", "shopify",
    "shopline", "shopline global", "signing in", "staff", "store settings", "stores", "templatetags", "web",
    "webhooks", "woocommerce",
}  # fmt: skip
FOLDERS = ("loyalty/", "orders/", "credits/", "points/", "tests/", "docs/", "docker/", "benchmarks/", "requirements/")
PLACES = [name(place) for folder in FOLDERS for place in (ROOT / folder).rglob("*")]


def rooms() -> dict[str, str]:
    """Every folder of the program, and the first sentence at its door."""
    doors = {path.parent: ast.get_docstring(ast.parse(path.read_text())) for path in MODULES if path.stem == "__init__"}
    return {name(room): (said or "").partition("\n")[0] for room, said in doors.items()}


def names_in(module: Path) -> set[str]:
    """What a module and its classes define, and what it imports."""
    found = set()
    for node in ast.walk(ast.parse(module.read_text())):
        match node:
            case ast.FunctionDef(name=known) | ast.ClassDef(name=known) | ast.Name(id=known, ctx=ast.Store()):
                found.add(known)
            case ast.ImportFrom(names=names):
                found |= {alias.asname or alias.name for alias in names}
    return found


def is_there(dotted: str) -> bool:
    """Whether a dotted name is a room, a module, or a name in one."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        place = ROOT.joinpath(*parts[:length])
        module = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
        if module.exists():
            return set(parts[length:]) <= names_in(module)
    return False


def test_every_room_is_on_the_map_in_the_words_at_its_door() -> None:
    lines = {room: f"| `{room}/` | {said} |" for room, said in rooms().items()}
    assert not [room for room, said in rooms().items() if not said]
    assert not [line for line in lines.values() if line not in ARCHITECTURE.splitlines()]
    assert len(re.findall(r"^\| `[\w/]+/` \|", ARCHITECTURE, re.MULTILINE)) == len(lines)


def test_no_room_is_too_full() -> None:
    """Rooms of tests as well. What Python and pytest find by its name alone is nobody's door."""
    found = [*MODULES, *(ROOT / "tests").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")]
    modules = Counter(name(path.parent) for path in found if path.stem not in {"__init__", "conftest"})
    assert not {room for room, count in modules.items() if count > 16}


def test_the_words_on_doors_are_in_the_glossary() -> None:
    rows = re.findall(r"^\| ([^|]+) \|", (ROOT / "docs" / "glossary.md").read_text(), re.MULTILINE)
    words = {word.strip().lower().replace("-", "") for row in rows for word in row.split(",")}
    doors = {room.rpartition("/")[2].replace("_", " ") for room in rooms()} - PLAIN
    assert not {door for door in doors if not {door, door.removesuffix("s")} & words}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_what_documents_name_is_there(document: Path) -> None:
    """Paths from the root or of neighbours; with ``<…>``, ``*`` or ``{…}`` in it one stands for several, or is new."""
    text = re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL)
    words = [word for quoted in re.findall(r"`([^`\n]+)`", text) for word in quoted.split()]
    paths = [word for word in words if word.endswith((".py", ".md", ".html")) or word.startswith(FOLDERS)]
    real = [path for path in paths if not set("<*{") & set(path) and not (ROOT / path).exists()]
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    named = re.findall(r"`(\w+/[\w/]+\.py)`: `(\w+)`(?:, `(\w+)`)?", text)
    assert not [path for path in real if not any(place.endswith(f"/{path}") for place in PLACES)]
    assert not [link for link in links if not (document.parent / link).exists()]
    assert not [(path, one) for path, *some in named for one in filter(None, some) if one not in names_in(ROOT / path)]


def test_what_docstrings_point_to_is_there() -> None:
    role = re.compile(r":(?:mod|func|class|meth|attr|data):`~?((?:loyalty|orders|credits|points)\.[\w.]+)`")
    said = {(name(path), dotted) for path in MODULES for dotted in role.findall(path.read_text())}
    assert not {(path, dotted) for path, dotted in said if not is_there(dotted)}


@pytest.mark.parametrize("contract", PICTURED)
def test_the_pictures_of_imports_are_the_contracts(contract: str) -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = [one["layers"] for one in contracts if one["name"] == contract]
    floors = [layer.replace(" | ", " & ") for layer in layers]
    arrows = "\n".join(f"    {above} --> {below}" for above, below in pairwise(floors))
    assert f"```mermaid\nflowchart TD\n{arrows}\n```" in ARCHITECTURE


@pytest.mark.parametrize("folder", ["adr", "recipes"])
def test_lists_of_documents_are_complete(folder: str) -> None:
    """Each decision and each recipe has a line under its own title."""
    shelf = [path for path in (ROOT / "docs" / folder).glob("*.md") if path.name != "README.md"]
    links = [f"[{path.read_text().partition(chr(10))[0].removeprefix('# ')}]({path.name})" for path in shelf]
    index = (ROOT / "docs" / folder / "README.md").read_text()
    assert not [link for link in links if link not in index]
