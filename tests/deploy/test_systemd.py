"""deploy/systemd/ is what systemd takes, and says what deploy/processes.toml says."""

import re
import shlex
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

from tests.deploy.declared import LASTING, PLAIN, PROCESSES, PROJECT, SECRET, Process, called

FOLDER = PROJECT / "deploy" / "systemd"
INSTALLED = "/opt/loyalty"
UNITS = {process.name: f"loyalty-{process.name}.service" for process in PROCESSES} | {
    "worker": "loyalty-worker@.service"
}

Unit = dict[str, list[str]]


def unit(*files: str) -> Unit:
    """What the files say together; a directive that is said twice has two values."""
    said: Unit = defaultdict(list)
    for file in files:
        for key, value in re.findall(r"^(\w+)=(.*)$", (FOLDER / file).read_text(), re.MULTILINE):
            said[key].append(value)
    return said


def service(process: Process) -> Unit:
    return unit(UNITS[process.name], "loyalty-.service.d/common.conf")


def variables(said: Unit) -> dict[str, str]:
    pairs = (pair for line in said["Environment"] for pair in shlex.split(line))
    return dict(pair.split("=", 1) for pair in pairs)


@pytest.mark.parametrize("process", PROCESSES, ids=called)
def test_every_process_is_run_as_declared(process: Process) -> None:
    said = service(process)
    [line] = said["ExecStart"]
    program, *arguments = shlex.split(line)
    run = [program.removeprefix(f"{INSTALLED}/.venv/bin/"), *arguments]
    assert said["WorkingDirectory"] == [INSTALLED]
    if process.name == "web":
        # The socket says where it listens.
        at = process.command.index("--bind")
        assert run == process.command[:at] + process.command[at + 2 :]
        assert unit("loyalty-web.socket")["ListenStream"] == ["127.0.0.1:8000"]
    elif process.name == "worker":
        assert run == [*process.command, "--hostname", "worker%i@%%h"]
    else:
        assert run == [word.replace("/var/lib/beat", "/var/lib/loyalty-beat") for word in process.command]
    assert said["MemoryMax"] == [f"{process.memory}M"]
    kind = {} if process.kind == "command" else {"LOYALTY_PROCESS": process.kind}
    assert {name: value for name, value in variables(said).items() if name == "LOYALTY_PROCESS"} == kind


@pytest.mark.parametrize("process", PROCESSES, ids=called)
def test_every_secret_is_a_credential_and_no_environment_tells_it(process: Process) -> None:
    said = service(process)
    given = dict(credential.split(":") for credential in said["LoadCredential"])
    for name in SECRET:
        assert variables(said)[f"{name}_FILE"] == f"%d/{name.lower()}"
        role = "owner_" if (name, process.role) == ("DATABASE_URL", "loyalty_owner") else ""
        assert given.pop(name.lower()) == f"/etc/loyalty/secrets/{role}{name.lower()}"
    assert not given
    plain = set(re.findall(r"^(\w+)=", (FOLDER / "environment.example").read_text(), re.MULTILINE))
    assert plain | {"LOYALTY_ENV"} == PLAIN | {"SITE_ADDRESS"}


@pytest.mark.parametrize("process", LASTING, ids=called)
def test_every_process_that_lasts_is_ended_gently_and_starts_when_the_tables_are_there(process: Process) -> None:
    said = service(process)
    assert said["TimeoutStopSec"] == [str(process.stop)]
    assert said["Restart"] == ["always"]
    assert said["ExecStartPre"] == [f"{INSTALLED}/.venv/bin/python manage.py migrate --check"]
    assert said["StateDirectory"] == [folder.replace("/var/lib/", "loyalty-") for folder in process.writes]
    [wanted] = unit("loyalty.target")["Wants"]
    assert UNITS[process.name].replace("@", "@1") in wanted.split()


def test_commands_by_hand_get_what_the_services_get() -> None:
    script = (FOLDER / "loyalty-manage").read_text()
    for name in SECRET:
        assert f"LoadCredential={name.lower()}:$secrets/" in script
        assert f'{name}_FILE="$PWD/{name.lower()}"' in script
    subprocess.run(["sh", "-n", str(FOLDER / "loyalty-manage")], check=True)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    """On a machine of its own: what the units name is there, and their common part is read."""
    system = tmp_path / "usr" / "lib" / "systemd" / "system"
    shutil.copytree(FOLDER, system)
    for name in ("sysinit.target", "basic.target", "shutdown.target", "network-online.target", "sockets.target"):
        (system / name).write_text("[Unit]\nDescription=Of systemd\n")
    programs = tmp_path / "opt" / "loyalty" / ".venv" / "bin"
    programs.mkdir(parents=True)
    for program in ("python", "gunicorn", "celery"):
        (programs / program).write_text("#!/bin/sh\n")
        (programs / program).chmod(0o755)
    units = [name.replace("@", "@1") for name in UNITS.values()]
    tool = ["systemd-analyze", f"--root={tmp_path}"]
    asked = [*tool, "verify", "--man=no", "loyalty.target", "loyalty-web.socket", *units]
    verified = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert (verified.returncode, verified.stderr) == (0, "")
    for name in units:
        subprocess.run([*tool, "security", "--offline=yes", "--threshold=20", name], capture_output=True, check=True)
