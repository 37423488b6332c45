"""Folders for servers of a test's own."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loyalty.embedded.layout import Layout, layout_in


@contextmanager
def new_layout() -> Iterator[Layout]:
    """An empty folder with a short name (sockets' addresses are short) that a server's account can reach."""
    folder = Path(tempfile.mkdtemp(prefix="loyalty-embedded-"))
    folder.chmod(0o711)
    yield layout_in(folder)
    shutil.rmtree(folder, ignore_errors=True)
