"""``manage.py show_retention``: how long the rows of each table are kept here, and why."""

from typing import Any

from loyalty.database.retention import in_words
from loyalty.management.commanding import OneLineCommand


class Command(OneLineCommand):
    """Print it as the table of ``docs/retention.md``."""

    help = "Print for each table how long its rows are kept, and why."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """A line for each table."""
        self.stdout.write("| table | kept | why |\n|---|---|---|")
        for row in in_words():
            self.stdout.write(f"| {' | '.join(row)} |")
