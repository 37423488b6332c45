"""What the commands share: what goes wrong is one line of error and an exit code that is not zero."""

import os
import sys
from collections.abc import Sequence
from typing import Any, Final, NoReturn

from django.core.management import execute_from_command_line
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error, ProgrammingError

from loyalty.core.errors import DomainError
from loyalty.database.busy import is_away, is_busy
from loyalty.database.named_stores import every_store


def run(words: Sequence[str]) -> None:
    """Run one command, Django's own and libraries' too; ends with one line while the database is away or busy."""
    try:
        # Whoever may run commands runs the installation; requests and jobs name their own stores within it.
        with every_store():
            execute_from_command_line(list(words))
    except Error as error:
        if line := trouble_of(error):
            sys.exit(f"Error: {line}")
        raise


def trouble_of(error: Error) -> str:
    """What keeps the database from answering, in one line; empty for an error that is about what was asked."""
    if is_busy(error):
        return "Somebody else holds what this needs; run it again in a moment."
    if not is_away(error):
        return ""
    said = str(error).strip().partition("\n")[0]
    if isinstance(error, ProgrammingError):
        return f"The database is not migrated to this version ({said}). Run manage.py migrate first."
    return f"The database does not answer: {said}"


class BriefParser(CommandParser):
    """Reports a wrong argument in one line, without repeating how the command is used."""

    def error(self, message: str) -> NoReturn:
        """End with the line."""
        if self.called_from_command_line:
            self.exit(2, f"Error: {message}\n")
        raise CommandError(f"Error: {message}")


# How far behind others whoever has time stands (nice).
_BEHIND: Final = 10


class OneLineCommand(BaseCommand):
    """A command whose errors are one line each."""

    def create_parser(self, prog_name: str, subcommand: str, **options: Any) -> CommandParser:
        """Django's parser, with brief errors."""
        parser = super().create_parser(prog_name, subcommand, **options)
        parser.__class__ = BriefParser
        return parser

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run; what the domain refuses becomes a CommandError."""
        try:
            return super().execute(*args, **options)
        except DomainError as error:
            raise CommandError(" ".join(str(error).split())) from error


class PatientCommand(OneLineCommand):
    """A command that is at work for minutes: where processors are scarce, whoever waits for a page goes first."""

    def run_from_argv(self, argv: list[str]) -> None:
        """Run in a process that is this command's alone."""
        os.nice(_BEHIND)
        super().run_from_argv(argv)
