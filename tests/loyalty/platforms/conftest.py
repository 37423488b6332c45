"""Where real platform payloads are, for the tests that read them."""

import os
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def payloads() -> Path:
    """The folder of real payloads: PLATFORM_PAYLOADS, or beside the project. Tests that need it are skipped without."""
    folder = Path(os.environ.get("PLATFORM_PAYLOADS", _ROOT.parent / "shared" / "platform-payloads"))
    if not folder.is_dir():
        pytest.skip(f"no platform payloads in {folder}")
    return folder
