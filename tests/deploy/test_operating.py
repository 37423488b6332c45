"""docs/operating.md: every command that it tells exists with its options, and every setting is told."""

import re
import shlex
import subprocess
from collections.abc import Iterator

import pytest
import yaml
from celery.bin.celery import celery
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand, CommandError

from loyalty.jobs.periodic import JOBS
from tests.deploy.declared import PLAIN, PROJECT, SECRET
from tests.deploy.test_kubernetes import named
from tests.deploy.test_processes import names_that_are_read

TEXT = (PROJECT / "docs" / "operating.md").read_text()
SERVICES = set(yaml.safe_load((PROJECT / "docker-compose.yml").read_text())["services"])
BLOCKS = re.findall(r"^```sh\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
INLINE = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", TEXT, flags=re.MULTILINE | re.DOTALL))


def lines() -> Iterator[str]:
    for text in (*(line for block in BLOCKS for line in block.splitlines()), *INLINE):
        for command in re.split(r"\s&&\s|\s\|\s", re.sub(r"\s+#.*$", "", text)):
            yield command.strip()


def said(*beginnings: str) -> list[str]:
    return sorted({line for line in lines() if line.startswith(beginnings)})


def of_manage() -> list[str]:
    """What follows ``manage.py``, wherever it is called."""
    called = (re.search(r"(?:manage\.py|^loyalty-manage(?: --owner)?) +([a-z_]+\b.*)$", line) for line in lines())
    return sorted({found[1] for found in called if found})


@pytest.mark.parametrize("call", of_manage())
def test_every_command_of_manage_exists_with_its_options(call: str) -> None:
    name, *arguments = shlex.split(call)
    command = load_command_class(get_commands()[name], name)
    assert isinstance(command, BaseCommand)
    # Named alone in a sentence, what it needs is left out.
    if arguments:
        try:
            command.create_parser("manage.py", name).parse_args(arguments)
        except CommandError as error:
            pytest.fail(f"{call}: {error}")
    if name == "run_jobs":
        assert set(arguments) <= set(JOBS)


@pytest.mark.parametrize("call", said("docker compose"))
def test_every_service_that_is_named_is_there(call: str) -> None:
    _, _, verb, *words = shlex.split(call)
    assert verb in {"up", "ps", "run", "exec", "restart", "logs"}
    if verb in {"exec", "run"}:
        assert next(word for word in words if not word.startswith("-")) in SERVICES
    if verb in {"restart", "ps"}:
        assert set(words) <= SERVICES


@pytest.mark.parametrize("call", [line for line in said("docker compose") if " celery " in line])
def test_every_command_of_celery_exists(call: str) -> None:
    app, of, name, *options = shlex.split(call.partition(" celery ")[2])
    assert (app, of) == ("--app", "loyalty")
    celery.commands[name].make_context(name, options, resilient_parsing=True)


@pytest.mark.parametrize("call", said("./run", "/opt/loyalty/run"))
def test_every_command_of_run_exists(call: str) -> None:
    told = subprocess.run([PROJECT / "run", "help"], capture_output=True, text=True, check=True).stdout
    assert f"./run {call.split()[1]} " in told


def test_every_file_and_unit_that_is_named_is_there() -> None:
    for path in re.findall(r"(?<![\w/.-])((?:deploy|docker|docs|loyalty)/[\w/.-]*\w)", TEXT):
        assert (PROJECT / path).exists(), path
    for link in re.findall(r"\]\(([\w/.-]+)\)", TEXT):
        assert (PROJECT / "docs" / link).exists(), link
    units = {path.stem.rstrip("@") for path in (PROJECT / "deploy" / "systemd").glob("loyalty-*.*")} | {"loyalty"}
    for line in said("systemctl"):
        told = {re.sub(r"(@\d+)?(\.\w+)?$", "", word) for word in re.findall(r"loyalty[\w@.-]*", line)}
        assert told <= units | {"loyalty-"}, line


def test_every_object_of_kubernetes_that_is_named_is_there() -> None:
    for kind, name in re.findall(r"\b(deployment|job)/(\w+)", TEXT):
        assert name in named(kind.capitalize()), f"{kind}/{name}"


def test_every_setting_is_told() -> None:
    table = TEXT.split("## Settings")[1].split("## ")[0]
    told = set(re.findall(r"`([A-Z][A-Z_]+)`", table)) - {"NAME_FILE", "INFO"}
    assert told == names_that_are_read() - PLAIN - SECRET | {"LOG_FORMAT"}


def test_every_secret_is_told_how_to_change() -> None:
    table = TEXT.split("## Secrets, and changing them")[1].split("## ")[0]
    assert set(re.findall(r"`([A-Z][A-Z_]+)`", table)) >= SECRET
    assert "loyalty_owner" in table


def test_there_are_ten_incidents_and_each_has_commands() -> None:
    incidents = re.split(r"^### \d+\. ", TEXT.split("## Incidents")[1].split("\n## ")[0], flags=re.MULTILINE)[1:]
    assert len(incidents) == 10
    assert all("```sh" in incident for incident in incidents)
