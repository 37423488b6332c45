"""The settings: production insists on what it needs, and is clean by Django's own deployment check."""

import os
import runpy
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

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


def settings_of(environment: Mapping[str, str]) -> dict[str, Any]:
    """What the file of settings says in this environment; raises what it refuses with."""
    with pytest.MonkeyPatch.context() as patch:
        for name in set(os.environ) - {"PATH"}:
            patch.delenv(name)
        for name, value in environment.items():
            patch.setenv(name, value)
        return runpy.run_path(str(PROJECT / "loyalty" / "settings.py"))


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
    with pytest.raises(ImproperlyConfigured, match=rf"needed in production: {name}\.$"):
        settings_of(PRODUCTION | {name: ""})


def test_an_unknown_kind_of_installation_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="LOYALTY_ENV is 'staging'"):
        settings_of({"LOYALTY_ENV": "staging"})


def test_production_never_debugs() -> None:
    assert settings_of(PRODUCTION | {"DEBUG": "true"})["DEBUG"] is False


def test_without_an_environment_the_embedded_servers_are_used_as_the_web_role() -> None:
    connection = settings_of({})["DATABASES"]["default"]
    assert (connection["USER"], connection["NAME"]) == ("loyalty_web", "loyalty")


def test_the_cache_and_the_queue_are_apart() -> None:
    mine = os.environ["CACHE_DATABASE"]
    assert settings.CACHES["default"]["LOCATION"] == f"{os.environ['REDIS_URL']}?db={mine}"
    in_production = settings_of(PRODUCTION | {"REDIS_URL": "redis://redis:6379/0"})
    assert in_production["CACHES"]["default"]["LOCATION"] == "redis://redis:6379/1"


def test_bodies_over_a_megabyte_are_refused() -> None:
    assert settings.DATA_UPLOAD_MAX_MEMORY_SIZE == 1024 * 1024


def test_the_client_s_address_is_taken_from_as_many_proxies_as_there_are() -> None:
    behind_one = PRODUCTION | {"BEHIND_TLS_PROXY": "true"}
    environments = (PRODUCTION, behind_one, behind_one | {"TRUSTED_PROXIES": "2"})
    assert [settings_of(environment)["TRUSTED_PROXIES"] for environment in environments] == [0, 1, 2]
