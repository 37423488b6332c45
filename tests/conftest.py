"""What tests of several packages need."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from loyalty.embedded.layout import Layout, layout_in


@pytest.fixture
def layout() -> Iterator[Layout]:
    """An empty folder with a short name (sockets' addresses are short) that a server's account can reach."""
    folder = Path(tempfile.mkdtemp(prefix="loyalty-embedded-"))
    folder.chmod(0o711)
    yield layout_in(folder)
    shutil.rmtree(folder)
