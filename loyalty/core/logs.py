"""How log lines are written: who was in the program, and never what somebody entered or what lets somebody in."""

import logging
import re
import traceback
from collections.abc import Iterator
from copy import copy
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final

import psycopg
from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseError
from pythonjsonlogger.json import JsonFormatter

from loyalty.core.causes import cause
from loyalty.serving.request_facts import REQUEST_ID, ROUTE

# Whoever reads one of these links in a log could use it (T6).
SECRET_LINKS = re.compile(r"(/accounts/(?:password/reset/key|invitations/\d+)/)[^/\s]+")
# Whatever is asked for by an address, and whoever quotes one. A long word is read once, not again from each letter.
_EMAILS: Final = re.compile(
    r"(?<![\w.+-])[\w.+-]++(?:(?:@|%40)[\w-]+(?:\.[\w-]+)+(?:[\w.+-]++(?=@|%40))?)+",
)
# PostgreSQL's errors quote the offending row, customers' addresses included, after these words.
_ROW_CONTENTS: Final = re.compile(r"^(DETAIL|CONTEXT): .*(?:\n(?!DETAIL: |CONTEXT: |HINT: ).*)*", re.MULTILINE)
# These speak of the program and its servers. Any other error may quote a value, and with it a person or a secret.
_OF_THE_PROGRAM: Final = (
    AttributeError,
    ConnectionError,
    ImportError,
    ImproperlyConfigured,
    NameError,
    NotImplementedError,
    TimeoutError,
    TypeError,
    psycopg.InterfaceError,
    psycopg.OperationalError,
)

# What lines about requests and statements say beside their sentence.
MEASURES: Final = ("method", "status", "milliseconds", "asked_by", "statement")

_ErrorFacts = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def without_secrets(text: str) -> str:
    """The text without e-mail addresses and the secret parts of links that let their reader in."""
    return _EMAILS.sub("(an address)", SECRET_LINKS.sub(r"\1(left out)", text))


def without_rows(text: str) -> str:
    """The text without what PostgreSQL quotes of a row."""
    return _ROW_CONTENTS.sub(r"\1: (left out)", text)


def what_failed(error: BaseException) -> str:
    """An error for everybody's eyes: its class, and what it says where that quotes nothing that was entered."""
    said = _said(error)
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _said(error: BaseException) -> str:
    if isinstance(error, DatabaseError) and error.__cause__ is not None:
        return _said(error.__cause__)
    if isinstance(error, psycopg.DataError):
        return error.sqlstate or ""
    if isinstance(error, psycopg.Error) and error.diag.message_primary:
        # What follows it is the row.
        return error.diag.message_primary
    return str(error) if isinstance(error, _OF_THE_PROGRAM) else ""


class DiscreetFormatter(logging.Formatter):
    """Writes where an error happened and :func:`what_failed`, and nothing that lets in or says who somebody is."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, and its error."""
        # Another handler may have written the error down already, with all that it says.
        record = copy(record)
        record.exc_text = None
        return without_secrets(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        """What was logged, without rows that a database's error quotes, and on whose behalf."""
        ids = "".join(f" {name}={value}" for name, value in _ids(record).items() if value and name != "doing")
        return without_rows(super().formatMessage(record)) + ids

    def formatException(self, ei: _ErrorFacts) -> str:  # noqa: N802 - the library's name
        """The error with those that led to it, as Python writes them."""
        return "" if ei[1] is None else "".join(_told(ei[1], set())).rstrip()


class DiscreetJson(JsonFormatter):
    """The same as one JSON object a line: the fields of ``docs/monitoring.md``, and no others that a library adds."""

    def format(self, record: logging.LogRecord) -> str:
        """The object, and its error."""
        record = copy(record)
        record.exc_text = None
        return super().format(record)

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """What a line may say: when, how bad, who, what, for whom, and of a request or statement its measures."""
        log_data |= {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": without_secrets(without_rows(record.getMessage())),
            "process": record.process,
            **_ids(record),
            **{name: getattr(record, name, "") for name in MEASURES},
            "error": without_secrets(message_dict.get("exc_info", "")),
        }
        for name in [name for name, value in log_data.items() if value in ("", None)]:
            del log_data[name]

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the library's name
        """The error with those that led to it, as Python writes them."""
        return "" if ei[1] is None else "".join(_told(ei[1], set())).rstrip()


def _ids(record: logging.LogRecord) -> dict[str, str]:
    """What is being done; by the line itself or its request, where it is written when that was answered already."""
    known = cause()
    facts = getattr(getattr(record, "request", None), "META", {})
    return {
        "request_id": getattr(record, "request_id", known.request_id or facts.get(REQUEST_ID, "")),
        "job_id": known.job_id,
        "doing": getattr(record, "doing", known.doing or facts.get(ROUTE, "")),
    }


def _told(error: BaseException, told: set[int]) -> Iterator[str]:
    told.add(id(error))
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and id(before) not in told:
        yield from _told(before, told)
        yield "\nThat led to this:\n\n"
    yield "Traceback (most recent call last):\n"
    yield from traceback.format_tb(error.__traceback__)
    yield f"{what_failed(error)}\n"


def to_standard_output(*, level: str, form: str = "plain") -> dict[str, Any]:
    """The setting LOGGING: every line once, from ``level`` on, ``plain`` or as ``json``, to where the process prints.

    Raises ImproperlyConfigured for another form.
    """
    if form not in {"plain", "json"}:
        raise ImproperlyConfigured(f"LOG_FORMAT is {form!r}; it must be plain or json.")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "plain": {
                "()": "loyalty.core.logs.DiscreetFormatter",
                "format": "{asctime} {levelname} {name}: {message}",
                "style": "{",
            },
            "json": {"()": "loyalty.core.logs.DiscreetJson"},
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": form}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # Django's own handlers would print a second time, and mail tracebacks.
            "django": {"handlers": [], "propagate": True},
            "django.server": {"handlers": [], "propagate": True},
            # Each job says in one line what it did; its coming and going is not worth two more.
            "celery.worker.strategy": {"level": "WARNING"},
            # What made a job fail is written by the job, without what the error quotes.
            "celery.app.trace": {"level": "CRITICAL"},
            # A line for every request that finds all threads busy for a moment.
            "waitress.queue": {"level": "ERROR"},
            # It would name every passkey that is used.
            "fido2": {"level": "WARNING"},
        },
    }
