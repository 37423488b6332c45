"""Every command and every address of the REST API that a page tells of exists, with its options."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from django.core.management import get_commands, load_command_class

from tests.docs.pages import PROJECT, commands, pages, words
from tests.published import published

_MANAGE: Final = re.compile(r"(?:manage\.py|^loyalty-manage(?: --owner)?) +([a-z_]+\b.*)$")
_RUN: Final = re.compile(r"(?:^|/)run +([a-z]+)\b")
_FILE: Final = re.compile(r"(?:^|python )((?:docs|benchmarks|deploy|docker)/[\w/.-]+\.\w+)")
_MODULE: Final = re.compile(r"python -m (docs[\w.]+)")
_OPERATION: Final = re.compile(r"^(GET|POST|PATCH|DELETE) (?:/api/v1)?(/[a-z{][\w{}/-]*/)")


def told(pattern: "re.Pattern[str]") -> Iterator[tuple[Path, "re.Match[str]"]]:
    for page in pages():
        for command in commands(page):
            if found := pattern.search(command):
                yield page, found


def test_every_command_of_manage_has_its_options() -> None:
    seen = set()
    for page, found in told(_MANAGE):
        name, *arguments = words(found[1])
        assert name in get_commands(), f"{page}: {found[0]}"
        known = load_command_class(get_commands()[name], name).create_parser("manage.py", name)
        options = [word.strip("[]").partition("=")[0] for word in arguments if word.lstrip("[").startswith("--")]
        for option in options:
            assert option in known._option_string_actions, f"{page}: {name} {option}"
        seen.add(name)
    assert len(seen) > 10


def test_every_command_of_run_is_in_its_help() -> None:
    known = set(re.findall(r"^#   \./run ([a-z]+)\b", (PROJECT / "run").read_text(), re.MULTILINE))
    names = {(page, found[1]) for page, found in told(_RUN)}
    assert {(page, name) for page, name in names if name not in known} == set()
    assert len(names) > 5


def test_every_file_that_is_to_be_run_is_there() -> None:
    for page, found in told(_FILE):
        assert (PROJECT / found[1]).exists(), f"{page}: {found[1]}"
    for page, found in told(_MODULE):
        assert (PROJECT / (found[1].replace(".", "/") + ".py")).exists(), f"{page}: {found[1]}"


def test_every_operation_of_the_api_that_is_named_exists() -> None:
    addresses = published()["paths"]
    named = [(page, found[1].lower(), f"/api/v1{found[2]}") for page, found in told(_OPERATION)]
    for page, method, address in named:
        assert method in addresses.get(address, {}), f"{page}: {method} {address}"
    assert named


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(PROJECT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#\s:]+)(?:#[\w-]+)?\)", page.read_text()):
        assert (page.parent / link).exists(), link
