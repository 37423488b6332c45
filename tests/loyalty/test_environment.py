"""A setting stands in the environment or in a file that it names."""

from pathlib import Path

import pytest

from loyalty.environment import Environment


def test_a_file_holds_what_the_environment_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tmp_path / "database_url"
    kept.write_text("postgres://web:secret@db:5432/loyalty\n")
    monkeypatch.setenv("SOME_DATABASE_URL_FILE", str(kept))
    monkeypatch.setenv("SOME_DATABASE_URL", "postgres://nobody@elsewhere/nothing")
    monkeypatch.setenv("SOME_WORDS", " as they are\n")
    env = Environment()
    assert env.db_url("SOME_DATABASE_URL")["NAME"] == "loyalty"
    assert env.str("SOME_WORDS") == " as they are"
    assert env.list("SOME_UNKNOWN", default=["usual"]) == ["usual"]


def test_a_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY_FILE", "/nowhere/some_key")
    with pytest.raises(FileNotFoundError, match="/nowhere/some_key"):
        Environment().str("SOME_KEY")
