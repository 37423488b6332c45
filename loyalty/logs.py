"""How log lines are written."""

import logging
import re
from typing import Any

# PostgreSQL's errors quote the offending row, customers' addresses included, after these words.
ROW_CONTENTS = re.compile(r"^(DETAIL|CONTEXT): .*$", re.MULTILINE)

# Whoever reads one of these links in a log could use it (T6).
SECRET_LINKS = re.compile(r"(/accounts/(?:password/reset/key|invitations/\d+)/)[^/\s]+")


def without_secrets(text: str) -> str:
    """The text without the secret parts of links that let their reader in."""
    return SECRET_LINKS.sub(r"\1(left out)", text)


class DiscreetFormatter(logging.Formatter):
    """Keeps rows' contents out of logged database errors, and secrets out of logged addresses."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, with what PostgreSQL quoted and what lets somebody in taken out."""
        return without_secrets(ROW_CONTENTS.sub(r"\1: (left out)", super().format(record)))


def to_standard_output(*, level: str) -> dict[str, Any]:
    """The setting LOGGING: every line once, from ``level`` on, to where the process prints."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "plain": {
                "()": "loyalty.logs.DiscreetFormatter",
                "format": "{asctime} {levelname} {name}: {message}",
                "style": "{",
            },
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # Django's own handlers would print a second time, and mail tracebacks.
            "django": {"handlers": [], "propagate": True},
            "django.server": {"handlers": [], "propagate": True},
            # Each job says in one line what it did; its coming and going is not worth two more.
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
            # A line for every request that finds all threads busy for a moment.
            "waitress.queue": {"level": "ERROR"},
            # It would name every passkey that is used.
            "fido2": {"level": "WARNING"},
        },
    }
