"""deploy/kubernetes/ is valid, and says what deploy/processes.toml says."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.deploy.declared import PLAIN, PROCESSES, PROJECT, SECRET, Process, called

FOLDER = PROJECT / "deploy" / "kubernetes"
KUSTOMIZATION: dict[str, Any] = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
OBJECTS: list[dict[str, Any]] = [
    found for file in KUSTOMIZATION["resources"] for found in yaml.safe_load_all((FOLDER / file).read_text())
]
OLDEST, NEWEST = "1.30", "1.37"


def named(kind: str) -> dict[str, dict[str, Any]]:
    return {found["metadata"]["name"]: found for found in OBJECTS if found["kind"] == kind}


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    for found in OBJECTS:
        if "template" in found.get("spec", {}):
            yield found["metadata"]["name"], found["spec"]["template"]


PODS = dict(pods())


def container(process: Process) -> dict[str, Any]:
    [found] = PODS[process.name]["spec"]["containers"]
    assert isinstance(found, dict)
    return found


def environment(file: str) -> set[str]:
    return set(re.findall(r"^(\w+)=", (FOLDER / file).read_text(), re.MULTILINE))


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_every_object_is_what_the_schema_allows(version: str) -> None:
    for found in OBJECTS:
        kubernetes_validate.validate(found, version, strict=True)


def test_the_schema_is_strict() -> None:
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(named("Deployment")["web"] | {"sepc": {}}, NEWEST, strict=True)


def test_every_file_is_named() -> None:
    assert {path.name for path in FOLDER.glob("*.yaml")} - {"kustomization.yaml"} == set(KUSTOMIZATION["resources"])


@pytest.mark.parametrize("process", PROCESSES, ids=called)
def test_every_process_is_run_as_declared(process: Process) -> None:
    run, pod = container(process), PODS[process.name]["spec"]
    assert run["command"] == process.command
    assert run["resources"]["limits"]["memory"] == f"{process.memory}Mi"
    assert {"cpu", "memory"} <= set(run["resources"]["requests"])
    kinds = [] if process.kind == "command" else [{"name": "LOYALTY_PROCESS", "value": process.kind}]
    assert run.get("env", []) == kinds
    sources = ["settings", "secrets", *(["owner"] if process.role == "loyalty_owner" else [])]
    assert [next(iter(source.values()))["name"] for source in run["envFrom"]] == sources
    if process.stop is not None:
        waits = 5 if "lifecycle" in run else 0
        assert pod["terminationGracePeriodSeconds"] == process.stop + waits


def test_the_environment_is_the_declared_one() -> None:
    assert environment("settings.env") == PLAIN
    assert environment("secrets.example.env") == SECRET
    assert environment("owner.example.env") == {"DATABASE_URL"}
    made = {
        file
        for maker in ("configMapGenerator", "secretGenerator")
        for one in KUSTOMIZATION[maker]
        for file in one["envs"]
    }
    assert made == {"settings.env", "secrets.env", "owner.env"}
    ignored = (PROJECT / ".gitignore").read_text().split()
    assert {"deploy/kubernetes/secrets.env", "deploy/kubernetes/owner.env"} <= set(ignored)


@pytest.mark.parametrize("name", PODS)
def test_every_pod_has_as_few_rights_as_can_be(name: str) -> None:
    pod = PODS[name]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for run in (*pod["containers"], *pod.get("initContainers", [])):
        assert run["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert "memory" in run["resources"]["limits"]


@pytest.mark.parametrize("process", PROCESSES, ids=called)
def test_nothing_can_be_written_but_what_is_named(process: Process) -> None:
    assert PODS[process.name]["spec"]["securityContext"]["runAsUser"] == 10001
    assert [mount["mountPath"] for mount in container(process)["volumeMounts"]] == ["/tmp", *process.writes]


@pytest.mark.parametrize("name", ["web", "worker", "beat"])
def test_nothing_starts_before_the_migration_is_done(name: str) -> None:
    [first] = PODS[name]["spec"]["initContainers"]
    assert first["command"] == ["python", "manage.py", "migrate", "--check"]


def test_beat_is_one_and_the_others_survive_a_machine_s_end() -> None:
    deployments = named("Deployment")
    assert deployments["beat"]["spec"]["replicas"] == 1
    assert deployments["beat"]["spec"]["strategy"] == {"type": "Recreate"}
    for process in PROCESSES:
        if process.runs == "many":
            assert deployments[process.name]["spec"]["replicas"] == 2
            assert named("PodDisruptionBudget")[process.name]["spec"]["maxUnavailable"] == 1


def test_every_process_that_lasts_is_asked_for_its_health() -> None:
    for name in ("web", "worker", "beat", "valkey"):
        assert "livenessProbe" in PODS[name]["spec"]["containers"][0]
    assert "readinessProbe" in PODS["web"]["spec"]["containers"][0]


def test_what_names_something_names_what_is_there() -> None:
    for found in [*OBJECTS, KUSTOMIZATION]:
        labels = found["metadata"].get("labels", {}) if "metadata" in found else {}
        assert "app.kubernetes.io/name" not in labels
    for kind in ("Service", "PodDisruptionBudget"):
        for found in named(kind).values():
            selector = found["spec"]["selector"]
            selected = selector.get("matchLabels", selector)["app.kubernetes.io/name"]
            assert PODS[selected]["metadata"]["labels"]["app.kubernetes.io/name"] == selected
    for name in ("web", "worker", "beat", "valkey"):
        [owner] = [found for found in OBJECTS if found["metadata"]["name"] == name and "template" in found["spec"]]
        assert owner["spec"]["selector"]["matchLabels"] == PODS[name]["metadata"]["labels"]
    backend = named("Ingress")["web"]["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
    assert backend["port"]["name"] in {port["name"] for port in named("Service")[backend["name"]]["spec"]["ports"]}


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl here")
def test_it_renders_with_the_names_that_are_set(tmp_path: Path) -> None:
    copy = tmp_path / "kubernetes"
    shutil.copytree(FOLDER, copy, ignore=lambda _folder, names: {"secrets.env", "owner.env"} & set(names))
    for name in ("secrets", "owner"):
        (copy / f"{name}.example.env").rename(copy / f"{name}.env")
    settings = (copy / "settings.env").read_text()
    (copy / "settings.env").write_text(settings.replace("ALLOWED_HOSTS=", "ALLOWED_HOSTS=other.example.org,"))
    said = subprocess.run(["kubectl", "kustomize", str(copy)], capture_output=True, text=True, check=True).stdout
    rendered = {(found["kind"], found["metadata"]["name"]): found for found in yaml.safe_load_all(said)}
    [web] = rendered["Deployment", "web"]["spec"]["template"]["spec"]["containers"]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert web[probe]["httpGet"]["httpHeaders"] == [{"name": "Host", "value": "other.example.org"}]
    assert rendered["Ingress", "web"]["spec"]["rules"][0]["host"] == "other.example.org"
    for found in rendered.values():
        kubernetes_validate.validate(found, NEWEST, strict=True)
