"""What tests of languages share."""

import pytest
from babel.messages.catalog import Catalog

from loyalty.languages.catalogues import source_messages


@pytest.fixture(scope="session")
def source() -> Catalog:
    """Every message of the source."""
    return source_messages()
