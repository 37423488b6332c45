"""``./run release``: a version is checked, described and tagged. Nothing is sent anywhere; that is somebody's decision.

The version stands in pyproject.toml, what is new in CHANGELOG.md under its number, what is in it in requirements.txt.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).resolve().parent.parent
TESTED_BY: Final = ".ci/run"


class Refused(Exception):
    """The version cannot be released; the message says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Release:
    """One version of the product; ``commit`` is the whole hash of what is released."""

    name: str
    version: str
    commit: str
    notes: str

    @property
    def tag(self) -> str:
        """What the commit is called in git."""
        return f"v{self.version}"

    @property
    def image(self) -> str:
        """What the image is called; a registry's name comes before it."""
        return f"{self.name}:{self.version}"

    def build_command(self) -> str:
        """How the image is built, with its labels."""
        return (
            f"docker build --build-arg VERSION={self.version} --build-arg REVISION={self.commit} --tag {self.image} ."
        )


def notes_of(changes: str, version: str) -> str:
    """What ``changes`` say is new in a version. Raises Refused where they say nothing."""
    found = re.search(rf"^## {re.escape(version)}$\n(.*?)(?=^## |\Z)", changes, re.MULTILINE | re.DOTALL)
    if found is None or not found[1].strip():
        raise Refused(f"CHANGELOG.md says nothing under '## {version}'. Write there what is new for whoever runs it.")
    return found[1].strip() + "\n"


def read_release(project: Path) -> Release:
    """The release that the project's files describe. Raises Refused where they cannot be released as they are."""
    about = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    version: str = about["version"]
    if changed := _git(project, "status", "--porcelain"):
        raise Refused(f"These files are not committed:\n{changed}\nCommit them, or put them aside.")
    release = Release(
        name=about["name"],
        version=version,
        commit=_git(project, "rev-parse", "HEAD"),
        notes=notes_of((project / "CHANGELOG.md").read_text(), version),
    )
    if _git(project, "tag", "--list", release.tag):
        raise Refused(f"{release.tag} is released already. Choose the next version in pyproject.toml.")
    return release


def write(release: Release, project: Path, folder: Path) -> list[Path]:
    """Write the notes, the list of everything that is in it (CycloneDX) and the image's labels; answers the files."""
    folder.mkdir(parents=True, exist_ok=True)
    notes, parts, image = folder / "notes.md", folder / "sbom.cdx.json", folder / "image.txt"
    notes.write_text(f"# {release.version}\n\n{release.notes}")
    image.write_text(f"{release.image}\n{release.build_command()}\n")
    _run(
        project,
        *(sys.executable, "-W", "ignore", "-m", "cyclonedx_py", "requirements", "requirements.txt"),
        *("--pyproject", "pyproject.toml", "--output-reproducible", "--of", "JSON", "--output-file", str(parts)),
    )
    return [notes, parts, image]


def main(arguments: Sequence[str]) -> int:
    """Release the version; 1 where it is refused."""
    parser = argparse.ArgumentParser(prog="./run release", description="Check, describe and tag a version.")
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be done, and write into a folder of /tmp"
    )
    dry_run = parser.parse_args(arguments).dry_run
    try:
        release = read_release(PROJECT)
        _run(PROJECT, sys.executable, "manage.py", "makemigrations", "--check", "--dry-run", "--skip-checks")
    except Refused as refusal:
        print(f"Not released: {refusal}", file=sys.stderr)
        return 1
    folder = Path(tempfile.mkdtemp(prefix="release-")) if dry_run else PROJECT / ".local" / "releases" / release.version
    files = write(release, PROJECT, folder)
    print(f"{release.name} {release.version}, commit {release.commit}")
    print("\n".join(f"  wrote {path}" for path in files))
    if dry_run:
        print(f"  would tag it {release.tag}")
    else:
        _git(PROJECT, "tag", "--annotate", "--file", str(files[0]), "--cleanup=verbatim", release.tag)
        print(f"  tagged it {release.tag}")
    print(f"Nothing was sent anywhere. Before it is: {TESTED_BY} passes on this commit. Then:")
    print(f"  git push origin {release.tag}\n  {release.build_command()}")
    return 0


def _git(project: Path, *arguments: str) -> str:
    return _run(project, shutil.which("git") or "git", *arguments).strip()


def _run(project: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Refused(f"'{' '.join(command)}' failed:\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
