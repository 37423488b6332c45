"""The test database that is kept between runs: made once, copied, made anew with a new migration."""

from pathlib import Path

import psycopg

from loyalty.embedded import prepared as kept
from loyalty.embedded.layout import OWNER_ROLE, Layout
from loyalty.embedded.prepared import PREPARED_DATABASE, PreparedDatabase, is_prepared, prepare_from
from loyalty.embedded.supervisor import throw_away_servers


def connect(layout: Layout, database: str) -> psycopg.Connection:
    return psycopg.connect(layout.database_url(role=OWNER_ROLE, database=database), autocommit=True)


def test_what_one_run_prepared_the_next_one_finds_and_cannot_spoil(layout: Layout) -> None:
    prepared = PreparedDatabase(layout.home / "prepared" / "now")
    for number in range(3):
        with throw_away_servers(postgres=True, valkey=False, prepared=prepared) as servers:
            with connect(servers, "postgres") as connection:
                assert is_prepared(connection) == (number > 0)
            if number == 0:
                with connect(servers, "loyalty") as connection:
                    connection.execute("CREATE TABLE made AS SELECT 1")
                with connect(servers, "postgres") as connection:
                    prepare_from("loyalty", connection)
            with connect(servers, PREPARED_DATABASE) as connection:
                assert connection.execute("SELECT count(*) FROM made").fetchone() == (1,)
                if number:
                    connection.execute("DELETE FROM made")


def test_a_run_that_prepared_nothing_keeps_nothing(layout: Layout) -> None:
    prepared = PreparedDatabase(layout.home / "prepared" / "now")
    with throw_away_servers(postgres=True, valkey=False, prepared=prepared):
        pass
    assert not prepared.folder.exists()


def test_it_belongs_to_the_migrations_that_made_it(tmp_path: Path) -> None:
    migrations = tmp_path / "orders" / "migrations"
    migrations.mkdir(parents=True)
    (migrations / "0001_initial.py").write_text("first")
    before = PreparedDatabase.of(tmp_path)
    assert PreparedDatabase.of(tmp_path) == before
    (migrations / "0002_more.py").write_text("second")
    after = PreparedDatabase.of(tmp_path)
    assert after != before
    (migrations / "0001_initial.py").write_text("another first")
    assert PreparedDatabase.of(tmp_path) not in (before, after)


def test_the_oldest_are_not_kept_for_ever(layout: Layout) -> None:
    layout.postgres_data.mkdir()
    for number in range(kept.KEPT_AT_MOST + 3):
        PreparedDatabase(layout.home / "prepared" / str(number)).keep(layout)
    assert len(list((layout.home / "prepared").iterdir())) == kept.KEPT_AT_MOST
