"""What the commands share: bad input is one line of error and an exit code that is not zero."""

from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error

from loyalty.core.errors import DomainError
from loyalty.database.busy import is_away, is_busy


class BriefParser(CommandParser):
    """Reports a wrong argument in one line, without repeating how the command is used."""

    def error(self, message: str) -> NoReturn:
        """End with the line."""
        if self.called_from_command_line:
            self.exit(2, f"Error: {message}\n")
        raise CommandError(f"Error: {message}")


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
        except Error as error:
            if is_busy(error):
                raise CommandError("Somebody else holds what this needs; run it again in a moment.") from error
            if is_away(error):
                raise CommandError("The database does not answer.") from error
            raise
