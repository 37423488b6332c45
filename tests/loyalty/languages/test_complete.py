"""Every language says everything: nothing is missing, fuzzy, or unlike its source."""

from typing import Final

import pytest
from babel.messages.catalog import Catalog

from loyalty.languages.catalogues import path_of, read_catalogue
from loyalty.languages.faults import faults_of
from loyalty.languages.spoken import TRANSLATIONS

# Those that are being translated. One that is complete leaves this list: then its tests fail until it does.
AWAITED: Final[tuple[str, ...]] = ()
LANGUAGES: Final = [
    pytest.param(name, marks=[pytest.mark.xfail(reason="being translated", strict=True)] if name in AWAITED else [])
    for name in TRANSLATIONS
]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_is_complete(source: Catalog, language: str) -> None:
    assert list(faults_of(read_catalogue(language), source)) == []


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_a_catalogue_has_nothing_that_nobody_says_any_more(source: Catalog, language: str) -> None:
    said = {(message.context, message.id) for message in source}
    assert [message.id for message in read_catalogue(language) if (message.context, message.id) not in said] == []
    assert "#~" not in path_of(language).read_text()
