"""Where backups lie: only what is finished has a name, one is taken at a time, the oldest ones go."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from loyalty.backups.folders import clear_away, new_backup, whole_backups
from loyalty.backups.manifest import NAME, BackupError

NIGHT = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)


def take(within: Path, now: datetime = NIGHT) -> None:
    with new_backup(within, now) as folder:
        (folder / NAME).touch()


def test_what_was_interrupted_has_no_name_and_goes_with_the_next_one(tmp_path: Path) -> None:
    with suppress(KeyboardInterrupt), new_backup(tmp_path, NIGHT) as folder:
        (folder / NAME).touch()
        raise KeyboardInterrupt
    assert whole_backups(tmp_path) == []
    assert folder.exists()
    take(tmp_path, NIGHT + timedelta(hours=1))
    assert [path.name for path in whole_backups(tmp_path)] == ["loyalty-2026-01-05T040000Z"]
    assert not folder.exists()


def test_the_newest_are_kept(tmp_path: Path) -> None:
    for day in range(4):
        take(tmp_path, NIGHT + timedelta(days=day))
    (tmp_path / "loyalty-notes.txt").touch()
    gone = clear_away(tmp_path, keep=2)
    assert [path.name for path in gone] == ["loyalty-2026-01-06T030000Z", "loyalty-2026-01-05T030000Z"]
    assert [path.name[:18] for path in whole_backups(tmp_path)] == ["loyalty-2026-01-08", "loyalty-2026-01-07"]
    assert (tmp_path / "loyalty-notes.txt").exists()


def test_one_is_taken_at_a_time(tmp_path: Path) -> None:
    with (
        new_backup(tmp_path, NIGHT),
        pytest.raises(BackupError, match="Another backup is being written"),
        new_backup(tmp_path, NIGHT + timedelta(hours=1)),
    ):
        pass


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(BackupError, match=r"cannot be written to .*file: (File exists|Not a directory)"),
        new_backup(tmp_path / "file", NIGHT),
    ):
        pass
