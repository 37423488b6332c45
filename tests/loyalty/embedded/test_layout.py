"""Where the servers' files go: beside the project, or aside where that cannot work."""

import os
from pathlib import Path

import pytest

from loyalty.embedded.account import Account, can_enter
from loyalty.embedded.layout import LONGEST_SOCKET_PATH, OWNER_ROLE, layout_for


def test_everything_is_under_the_project_when_it_can_be() -> None:
    project = Path("/")
    layout = layout_for(project)
    assert layout.home == project / ".local"
    assert layout.postgres_data == project / ".local" / "postgres"
    assert layout.valkey_socket == project / ".local" / "run" / "valkey.sock"


def test_a_long_path_moves_the_sockets_to_a_short_one(tmp_path: Path) -> None:
    tmp_path.chmod(0o711)
    project = tmp_path / ("deep" * 20)
    project.mkdir()
    layout = layout_for(project)
    assert layout.home == project / ".local"
    assert len(os.fsencode(layout.postgres_sockets / ".s.PGSQL.5432")) <= LONGEST_SOCKET_PATH
    assert layout == layout_for(project), "every process must find the same place"


@pytest.mark.skipif(os.getuid() != 0, reason="only root runs the server as somebody else")
def test_a_closed_home_moves_what_the_servers_account_needs(tmp_path: Path) -> None:
    project = tmp_path / "home" / "project"
    project.mkdir(parents=True)
    project.parent.chmod(0o700)
    layout = layout_for(project)
    assert layout.home == project / ".local"
    assert not layout.postgres_data.is_relative_to(project)
    assert not layout.postgres_sockets.is_relative_to(project)


def test_an_account_enters_by_owner_group_or_everybodys_mode(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    folder.chmod(0o700)
    stranger = Account(uid=os.getuid() + 12345, gid=os.getgid() + 12345)
    assert can_enter(Account(os.getuid(), os.getgid()), folder)
    assert not can_enter(stranger, folder)


def test_addresses_escape_the_folder() -> None:
    address = layout_for(Path("/")).database_url(role=OWNER_ROLE)
    assert address == f"postgres://{OWNER_ROLE}@/loyalty?host=%2F.local%2Frun%2Fpg"
