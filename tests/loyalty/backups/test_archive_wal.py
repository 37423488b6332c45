"""The log of PostgreSQL is kept piece by piece: once, whole, and never another in its place."""

import subprocess
from pathlib import Path

import pytest
import yaml

DOCKER = Path(__file__).resolve().parents[3] / "docker"


def archive(piece: Path, into: Path, name: str = "000000010000000000000001") -> int:
    environment = {"PATH": "/usr/bin:/bin", "WAL_ARCHIVE": str(into)}
    return subprocess.run([DOCKER / "archive_wal.sh", piece, name], env=environment, check=False).returncode


@pytest.fixture
def piece(tmp_path: Path) -> Path:
    path = tmp_path / "piece"
    path.write_bytes(b"log" * 1000)
    return path


def test_a_piece_is_kept_and_can_be_handed_over_again(piece: Path, tmp_path: Path) -> None:
    (kept := tmp_path / "kept").mkdir()
    assert [archive(piece, kept), archive(piece, kept)] == [0, 0]
    assert [path.name for path in kept.iterdir()] == ["000000010000000000000001"]
    assert next(kept.iterdir()).read_bytes() == piece.read_bytes()


def test_another_piece_does_not_take_its_place(piece: Path, tmp_path: Path) -> None:
    (kept := tmp_path / "kept").mkdir()
    archive(piece, kept)
    before = piece.read_bytes()
    piece.write_bytes(b"something else")
    assert archive(piece, kept) != 0
    assert next(kept.iterdir()).read_bytes() == before


def test_what_cannot_be_kept_is_said(piece: Path, tmp_path: Path) -> None:
    assert archive(piece, tmp_path / "not there") != 0


def test_compose_hands_pieces_to_the_script_where_it_is() -> None:
    postgres = yaml.safe_load((DOCKER / "point-in-time.yml").read_text())["services"]["postgres"]
    (command,) = [word for word in postgres["command"] if word.startswith("archive_command=")]
    assert command == "archive_command=/usr/local/bin/archive_wal.sh %p %f"
    assert "./docker/archive_wal.sh:/usr/local/bin/archive_wal.sh:ro" in postgres["volumes"]
    assert postgres["volumes"][-1].partition("}")[2] == f":{postgres['environment']['WAL_ARCHIVE']}"
