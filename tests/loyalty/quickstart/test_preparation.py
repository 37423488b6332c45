"""A start collects static files where they are others than those of the start before, and no more often."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage
from pytest_django import Settings

from loyalty.embedded.layout import Layout
from loyalty.quickstart import preparation

Start = Callable[[], list[str]]


class Finder:
    """Finds what is in one folder."""

    def __init__(self, folder: Path) -> None:
        self.storage = FileSystemStorage(location=folder)

    def list(self, _ignored: Any) -> list[tuple[str, FileSystemStorage]]:
        return [(name, self.storage) for name in sorted(self.storage.listdir("")[1])]


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "page.css").write_text("body {}")
    monkeypatch.setattr(preparation, "get_finders", lambda: [Finder(folder)])
    return folder


@pytest.fixture
def start(layout: Layout, sources: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Starts, and answers which steps that took."""
    settings.STATIC_ROOT = layout.home / "static"
    steps: list[str] = []

    def begin(_project: Path, step: list[str], _environment: object) -> None:
        steps.append(step[0])
        if step == preparation.COLLECT:
            settings.STATIC_ROOT.mkdir(exist_ok=True)

    monkeypatch.setattr(preparation, "_start", begin)
    monkeypatch.setattr(preparation, "_finish", lambda _step, _process: "")

    def started() -> list[str]:
        steps.clear()
        preparation.make_tables_and_static_files(Path(), {}, layout)
        return list(steps)

    return started


def test_the_first_start_collects_and_the_next_does_not(start: Start) -> None:
    assert start() == ["migrate", "collectstatic"]
    assert start() == ["migrate"]


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "page.css").write_text("body { }"),
        lambda folder: (folder / "page.js").touch(),
        lambda folder: (folder / "page.css").unlink(),
    ],
    ids=["changed", "added", "removed"],
)
def test_other_sources_are_collected(start: Start, sources: Path, change: Callable[[Path], object]) -> None:
    start()
    change(sources)
    assert start() == ["migrate", "collectstatic"]
    assert start() == ["migrate"]


def test_what_was_collected_and_is_gone_is_collected_again(start: Start, settings: Settings) -> None:
    start()
    settings.STATIC_ROOT.rmdir()
    assert start() == ["migrate", "collectstatic"]


def test_what_failed_is_tried_again(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_step: list[str], _process: object) -> str:
        raise preparation.PreparationFailed

    with monkeypatch.context() as patch:
        patch.setattr(preparation, "_finish", fail)
        with pytest.raises(preparation.PreparationFailed):
            start()
    assert start() == ["migrate", "collectstatic"]
