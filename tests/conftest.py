"""What tests of several packages need."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from loyalty.embedded.layout import Layout, layout_in
from tests.platforms_imitated.fixtures import (
    imitated_shopify,
    imitated_shopline,
    imitated_shopline_global,
    imitated_woocommerce,
)

__all__ = ["imitated_shopify", "imitated_shopline", "imitated_shopline_global", "imitated_woocommerce"]

_ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def layout() -> Iterator[Layout]:
    """An empty folder with a short name (sockets' addresses are short) that a server's account can reach."""
    folder = Path(tempfile.mkdtemp(prefix="loyalty-embedded-"))
    folder.chmod(0o711)
    yield layout_in(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def payloads() -> Path:
    """The folder of real payloads: PLATFORM_PAYLOADS, or beside the project. Tests that need it are skipped without."""
    folder = Path(os.environ.get("PLATFORM_PAYLOADS", _ROOT.parent / "shared" / "platform-payloads"))
    if not folder.is_dir():
        pytest.skip(f"no platform payloads in {folder}")
    return folder
