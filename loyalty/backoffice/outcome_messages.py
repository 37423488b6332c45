"""What became of what a button asked for, as the message on the next page."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib import messages
from django.http import HttpRequest

from loyalty.core.errors import DomainError


@contextmanager
def telling_outcome(request: HttpRequest, done: str) -> Iterator[None]:
    """Say ``done`` when the block has done it; what the domain refuses is said instead, and raised no further."""
    try:
        yield
    except DomainError as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, done)
