"""deploy/processes.toml, held against the program: its commands, options and settings exist."""

import re
from importlib.metadata import entry_points

import pytest
from celery.bin.beat import beat
from celery.bin.worker import worker
from django.core.management import get_commands, load_command_class
from gunicorn.config import Config

from loyalty.database.time_limits import LIMITS
from loyalty.embedded.layout import OWNER_ROLE, WEB_ROLE
from loyalty.settings import REQUIRED_IN_PRODUCTION
from tests.deploy.declared import PLAIN, PROCESSES, PROJECT, SECRET, Process, called

READ = re.compile(r'\benv\.\w+\(\s*"(\w+)"')


def names_that_are_read() -> set[str]:
    sources = ("loyalty/settings.py", "loyalty/database/connecting.py", "loyalty/database/time_limits.py")
    return {name for source in sources for name in READ.findall((PROJECT / source).read_text())}


@pytest.mark.parametrize("process", PROCESSES, ids=called)
def test_every_command_and_its_options_exist(process: Process) -> None:
    program, *arguments = process.command
    if program == "python":
        script, name, *options = arguments
        assert (PROJECT / script).is_file()
        command = load_command_class(get_commands()[name], name)
        command.create_parser(script, name).parse_args(options)
        return
    assert program in entry_points(group="console_scripts").names
    if program == "gunicorn":
        Config().parser().parse_args(arguments)
        return
    *app, name = arguments[:3]
    assert app == ["--app", "loyalty"]
    {"worker": worker, "beat": beat}[name].make_context(name, arguments[3:], resilient_parsing=True)


def test_roles_and_kinds_are_the_program_s() -> None:
    assert {process.kind for process in PROCESSES} == set(LIMITS)
    assert {process.name: process.role for process in PROCESSES} == {
        "migrate": OWNER_ROLE,
        "web": WEB_ROLE,
        "worker": WEB_ROLE,
        "beat": WEB_ROLE,
    }
    assert {process.name: process.runs for process in PROCESSES} == {
        "migrate": "before",
        "web": "many",
        "worker": "many",
        "beat": "one",
    }


def test_what_is_set_is_read_and_what_production_needs_is_set() -> None:
    assert names_that_are_read() >= PLAIN | SECRET
    assert set(REQUIRED_IN_PRODUCTION) <= PLAIN | SECRET
    assert not PLAIN & SECRET
