"""How log lines are written."""

import logging
import re

# PostgreSQL's errors quote the offending row, customers' addresses included, after these words.
ROW_CONTENTS = re.compile(r"^(DETAIL|CONTEXT): .*$", re.MULTILINE)


class DiscreetFormatter(logging.Formatter):
    """Keeps rows' contents out of logged database errors."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, with what PostgreSQL quoted taken out."""
        return ROW_CONTENTS.sub(r"\1: (left out)", super().format(record))
