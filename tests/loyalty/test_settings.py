"""The settings: production insists on what it needs, and is clean by Django's own deployment check."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from django.conf import settings

PROJECT = Path(__file__).resolve().parent.parent.parent

PRODUCTION = {
    "LOYALTY_ENV": "production",
    "SECRET_KEY": "".join(chr(ord("!") + number) for number in range(64)),
    "CREDENTIALS_KEYS": "a-long-random-text-that-nobody-else-knows",
    "ALLOWED_HOSTS": "loyalty.example.com",
    "DATABASE_URL": os.environ["DATABASE_URL"],
    "REDIS_URL": os.environ["REDIS_URL"],
    "EMAIL_URL": "smtp+tls://user:password@mail.example.com:587",
    "DEFAULT_FROM_EMAIL": "shop@example.com",
}


def manage(*arguments: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def ask(expression: str, environment: Mapping[str, str]) -> str:
    """What the settings say in a process of their own."""
    said = manage("shell", "--no-imports", "-v0", "-c", f"print({expression})", environment=environment)
    assert said.returncode == 0, said.stderr
    return said.stdout.strip()


def test_production_passes_djangos_deployment_check() -> None:
    said = manage("check", "--deploy", "--fail-level", "INFO", environment=PRODUCTION)
    assert said.returncode == 0, said.stderr
    assert "no issues" in said.stdout


def test_production_names_everything_that_is_missing() -> None:
    said = manage("check", environment={"LOYALTY_ENV": "production", "ALLOWED_HOSTS": "loyalty.example.com"})
    assert said.returncode != 0
    last = said.stderr.strip().splitlines()[-1]
    assert last.endswith("SECRET_KEY, CREDENTIALS_KEYS, DATABASE_URL, REDIS_URL, EMAIL_URL, DEFAULT_FROM_EMAIL.")


@pytest.mark.parametrize("name", sorted(set(PRODUCTION) - {"LOYALTY_ENV"}))
def test_production_refuses_to_start_without(name: str) -> None:
    said = manage("check", environment=PRODUCTION | {name: ""})
    assert said.returncode != 0
    assert said.stderr.strip().splitlines()[-1].endswith(f"needed in production: {name}.")


def test_an_unknown_kind_of_installation_is_refused() -> None:
    said = manage("check", environment={"LOYALTY_ENV": "staging"})
    assert said.returncode != 0
    assert "LOYALTY_ENV is 'staging'" in said.stderr


def test_production_never_debugs() -> None:
    assert ask("__import__('django.conf').conf.settings.DEBUG", PRODUCTION | {"DEBUG": "true"}) == "False"


def test_without_an_environment_the_embedded_servers_are_used_as_the_web_role() -> None:
    connection = "__import__('django.conf').conf.settings.DATABASES['default']"
    assert ask(f"{connection}['USER'], {connection}['NAME']", {}) == "loyalty_web loyalty"


def test_the_cache_and_the_queue_are_apart() -> None:
    mine = os.environ["CACHE_DATABASE"]
    assert settings.CACHES["default"]["LOCATION"] == f"{os.environ['REDIS_URL']}?db={mine}"
    expression = "__import__('django.conf').conf.settings.CACHES['default']['LOCATION']"
    assert ask(expression, PRODUCTION | {"REDIS_URL": "redis://redis:6379/0"}) == "redis://redis:6379/1"


def test_bodies_over_a_megabyte_are_refused() -> None:
    assert settings.DATA_UPLOAD_MAX_MEMORY_SIZE == 1024 * 1024


def test_the_client_s_address_is_taken_from_as_many_proxies_as_there_are() -> None:
    trusted = "__import__('django.conf').conf.settings.TRUSTED_PROXIES"
    assert ask(trusted, PRODUCTION) == "0"
    assert ask(trusted, PRODUCTION | {"BEHIND_TLS_PROXY": "true"}) == "1"
    assert ask(trusted, PRODUCTION | {"BEHIND_TLS_PROXY": "true", "TRUSTED_PROXIES": "2"}) == "2"
