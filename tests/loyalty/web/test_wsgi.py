"""What every request passes before Django has it."""

import resource
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

from loyalty import wsgi

# So many calls deep that one piece of Python's own, 16 KB, is left behind twice.
_DEPTHS = 400
_TIMES = 50


def _nothing() -> None:
    """Called from every depth."""


def _to_and_fro(depth: int) -> None:
    for _ in range(_TIMES):
        _nothing()
    if depth:
        _to_and_fro(depth - 1)


def test_calls_of_a_request_take_no_memory_from_the_system_again_and_again() -> None:
    faults: list[int] = []

    def deep(_environ: dict[str, Any], _start: object) -> Iterator[bytes]:
        before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
        _to_and_fro(_DEPTHS)
        faults.append(resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before)
        return iter(())

    with patch.object(wsgi, "_django", deep):
        wsgi.application({}, None)
        wsgi.application({}, None)

    # Each crossing of an edge is a page of its own; the one piece is 512 KB of 4 KB at most, touched once.
    assert faults[-1] < _TIMES
