"""Progress bars of backups, on a terminal alone."""

import sys
from typing import Any

from tqdm import tqdm


def bar(what: str, total: int, unit: str = "") -> "tqdm[Any]":
    """A bar that is full at ``total``; ``unit`` is ``B`` for bytes. Nothing where nobody looks on."""
    return tqdm(desc=what, total=total, unit=unit, unit_scale=bool(unit), leave=False, disable=not sys.stderr.isatty())
