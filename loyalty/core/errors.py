"""What the domain refuses, and why, without a word about HTTP or pages.

Every cause is a class with a stable ``code``, defined next to what raises it. The families below say what the
caller can do about it; the REST API and the admin each translate a family once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from django.utils.translation import gettext_noop


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field that is wrong: a JSON pointer (RFC 6901), a stable code, a sentence for people."""

    pointer: str
    code: str
    detail: str


def pointer_step(name: object) -> str:
    """One step of a JSON pointer (RFC 6901)."""
    return str(name).replace("~", "~0").replace("/", "~1")


class DomainError(Exception):
    """Base of everything the domain refuses. ``str(error)`` is a sentence for people."""

    code: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Invalid(DomainError):
    """What was asked for cannot be, whatever the state: the caller must ask for something else."""

    code = "invalid"
    title = gettext_noop("The request has fields that are wrong.")

    def __init__(self, detail: str = "", *, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail or " ".join(error.detail for error in errors))
        self.errors = tuple(errors)

    @classmethod
    def at(cls, pointer: str, detail: str, *, code: str | None = None) -> Self:
        """The refusal of one field."""
        return cls(detail, errors=[FieldError(pointer, code or cls.code, detail)])


class Conflict(DomainError):
    """What was asked for does not fit the present state: the caller must look again."""

    code = "conflict"
    title = gettext_noop("The request does not fit the present state.")


class VersionConflict(Conflict):
    """The caller named the version it has read, and there is a newer one: it must read again."""

    code = "precondition-failed"
    title = gettext_noop("This has changed since it was read.")


class Busy(DomainError):
    """Something outside takes too long at the moment; nothing was done, and the same may work in a few seconds."""

    code = "unavailable"
    title = gettext_noop("The service cannot be reached for a moment.")


class NotFound(DomainError):
    """There is no such thing in this store. Another store's thing answers exactly the same (T1)."""

    code = "not-found"
    title = gettext_noop("Not found in this store.")
