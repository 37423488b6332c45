"""A release says what is new and what is in it, and is refused where it is not ready."""

import json
import re
import subprocess
from pathlib import Path

import pytest

import loyalty
from deploy import release as releasing
from deploy.release import Refused, main, notes_of, read_release, write
from tests.deploy.declared import PROJECT

ABOUT = '[project]\nname = "loyalty-back-office"\nversion = "1.2.0"\n'
CHANGES = "# Changes\n\n## 1.2.0\n\nCredits glow in the dark.\n\n## 1.1.0\n\nThey did not.\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that could be released as 1.2.0."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(ABOUT)
    (folder / "CHANGELOG.md").write_text(CHANGES)
    (folder / "requirements.txt").write_text("django==5.2.19 \\\n    --hash=sha256:" + "a" * 64 + "\n")
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "All of it")
    return folder


def git(folder: Path, *arguments: str) -> str:
    somebody = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.com")
    return subprocess.run(
        ["git", *somebody, *arguments], cwd=folder, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_the_notes_are_those_of_the_version_alone() -> None:
    assert notes_of(CHANGES, "1.2.0") == "Credits glow in the dark.\n"
    for version in ("1.3.0", "1.2"):
        with pytest.raises(Refused, match="says nothing under"):
            notes_of(CHANGES, version)
    with pytest.raises(Refused, match="says nothing under"):
        notes_of("## 1.2.0\n\n## 1.1.0\n\nThey did not.\n", "1.2.0")


def test_a_release_is_written_with_all_that_is_in_it(project: Path, tmp_path: Path) -> None:
    release = read_release(project)
    notes, parts, image = write(release, project, tmp_path / "out")
    assert notes.read_text() == "# 1.2.0\n\nCredits glow in the dark.\n"
    listed = json.loads(parts.read_text())
    assert listed["metadata"]["component"]["version"] == "1.2.0"
    [django] = listed["components"]
    assert django["purl"].startswith("pkg:pypi/django@5.2.19")
    assert django["externalReferences"][0]["hashes"] == [{"alg": "SHA-256", "content": "a" * 64}]
    commit = git(project, "rev-parse", "HEAD")
    assert f"--build-arg VERSION=1.2.0 --build-arg REVISION={commit}" in image.read_text()
    arguments = set(re.findall(r"^ARG (\w+)", (PROJECT / "Dockerfile").read_text(), re.MULTILINE))
    assert set(re.findall(r"--build-arg (\w+)=", image.read_text())) == arguments


def test_what_is_not_committed_or_was_released_already_is_refused(project: Path) -> None:
    git(project, "tag", "v1.2.0")
    with pytest.raises(Refused, match=r"v1\.2\.0 is released already"):
        read_release(project)
    (project / "CHANGELOG.md").write_text(CHANGES + "More.\n")
    with pytest.raises(Refused, match=r"not committed:\nM CHANGELOG\.md"):
        read_release(project)


def test_a_dry_run_tags_nothing_and_a_real_one_tags(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(releasing, "PROJECT", project)
    (project / "manage.py").write_text("")
    (project / ".gitignore").write_text(".local/\n")
    for name in ("user.name", "user.email"):
        git(project, "config", name, "somebody@example.com")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "A command")

    assert main(["--dry-run"]) == 0
    assert "would tag it v1.2.0" in capsys.readouterr().out
    assert git(project, "tag") == ""
    assert main([]) == 0
    assert git(project, "tag", "--list", "--format=%(contents)", "v1.2.0") == "# 1.2.0\n\nCredits glow in the dark."
    assert main([]) == 1
    assert "is released already" in capsys.readouterr().err


def test_this_version_could_be_described() -> None:
    assert notes_of((PROJECT / "CHANGELOG.md").read_text(), loyalty.__version__)
