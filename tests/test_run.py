"""``./run``, CI and pre-commit: every check is named once, every command is told in the help."""

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
RUN = (ROOT / "run").read_text()
CI = (ROOT / ".ci" / "run").read_text()
CHECKS = (
    "ruff check .",
    "ruff format --check .",
    "mypy",
    "lint-imports",
    "hadolint",
    "manage.py check",
    "makemigrations --check",
)


def steps(script: str) -> list[str]:
    return re.findall(r"^ *step (.+)$", script, re.MULTILINE)


def test_the_checks_are_one_list_that_ci_and_pre_commit_go_by() -> None:
    lint = re.search(r"^lint\(\) \{\n(.*?)^\}", RUN, re.MULTILINE | re.DOTALL)
    hooks: dict[str, Any] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())

    assert lint is not None
    assert len(steps(lint[1])) == len(CHECKS)
    for check, step in zip(CHECKS, steps(lint[1]), strict=True):
        assert check in step
    assert steps(CI) == ["./run lint", ".ci/pythons", "audit", "./run test --version", "./run test || tested=$?"]
    assert [hook["entry"] for repo in hooks["repos"] for hook in repo["hooks"]] == ["./run lint"]


def test_help_tells_every_command() -> None:
    told = subprocess.run([ROOT / "run", "help"], capture_output=True, text=True, check=True).stdout
    commands = re.findall(r"^    ([a-z]+)\)$", RUN, re.MULTILINE)

    assert re.findall(r"^  \./run ([a-z]+)", told, re.MULTILINE) == [
        "shell",
        "test",
        "messages",
        "lint",
        "fix",
        "docs",
        "bench",
        "setup",
        "release",
        "help",
    ]
    assert set(commands) == {"shell", "test", "messages", "lint", "fix", "docs", "bench", "setup", "release", "help"}


def test_the_newer_pythons_are_those_that_the_project_says_it_runs_on() -> None:
    script = (ROOT / ".ci" / "pythons").read_text()
    first = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"].removeprefix(">=")
    [tried] = re.findall(r"^for version in (.+); do$", script, re.MULTILINE)
    assert tried.split() == [first, "3.12", "3.13", "3.14"]
    [part] = re.findall(r"^PART=\((.+)\)$", script, re.MULTILINE)
    assert all((ROOT / path).exists() for path in part.split())
    subprocess.run(["bash", "-n", ROOT / ".ci" / "pythons"], check=True)
