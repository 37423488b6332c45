"""docker-compose.yml and Dockerfile say what deploy/processes.toml says, in their own words."""

import json
import re
from importlib.resources import files
from typing import Any

import environ
import jsonschema
import pytest
import yaml

from tests.deploy.declared import LASTING, PLAIN, PROCESSES, PROJECT, SECRET, Process, called

COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
DOCKERFILE = (PROJECT / "Dockerfile").read_text()


def test_it_is_what_the_compose_specification_allows() -> None:
    schema = json.loads((files("check_jsonschema") / "builtin_schemas/vendor/compose-spec.json").read_text())
    validator = jsonschema.validators.validator_for(schema)(schema)
    validator.validate(COMPOSE)
    with pytest.raises(jsonschema.ValidationError, match="read_onyl"):
        validator.validate({"services": {"web": {"image": "x", "read_onyl": True}}})


@pytest.mark.parametrize("process", PROCESSES, ids=called)
def test_every_process_is_run_as_declared(process: Process) -> None:
    service = SERVICES[process.name]
    run = service.get("command") or json.loads(
        re.findall(r"^CMD (\[.*?\])", DOCKERFILE, re.MULTILINE | re.DOTALL)[0].replace("\\", "")
    )
    assert run == process.command
    if process.kind != "command":
        assert service["environment"].get("LOYALTY_PROCESS", "web") == process.kind
    assert set(service["environment"]) - {"LOYALTY_PROCESS"} == PLAIN | SECRET
    assert (
        environ.Env.db_url_config(service["environment"]["DATABASE_URL"].replace("${", "").replace(":?}", ""))["USER"]
        == process.role
    )
    assert service["mem_limit"] == f"{process.memory}m"


@pytest.mark.parametrize("process", LASTING, ids=called)
def test_every_process_that_lasts_is_ended_gently(process: Process) -> None:
    assert SERVICES[process.name]["stop_grace_period"] == f"{process.stop}s"
    assert SERVICES[process.name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("process", PROCESSES, ids=called)
def test_nothing_can_be_written_but_what_is_named(process: Process) -> None:
    service = SERVICES[process.name]
    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp"]
    assert [mount.split(":")[1] for mount in service.get("volumes", [])] == process.writes
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_the_image_is_nobody_s_above_and_says_what_it_is() -> None:
    assert re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE) == ["10001"]
    assert "--uid 10001 loyalty" in DOCKERFILE
    for written in (folder for process in PROCESSES for folder in process.writes):
        assert f"install -d -o 10001 {written}" in DOCKERFILE
    labels = dict(re.findall(r'(org\.opencontainers\.image\.\w+)="([^"]*)"', DOCKERFILE))
    assert labels["org.opencontainers.image.version"] == "$VERSION"
    assert labels["org.opencontainers.image.revision"] == "$REVISION"
    assert {"org.opencontainers.image.title", "org.opencontainers.image.description"} <= set(labels)
    assert set(SERVICES["web"]["build"]["args"]) == set(re.findall(r"^ARG (\w+)", DOCKERFILE, re.MULTILINE))


def test_what_is_copied_into_the_image_holds_no_secret() -> None:
    assert {".git", ".env", ".local", "deploy"} <= set((PROJECT / ".dockerignore").read_text().split())
