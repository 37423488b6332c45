"""Every language says everything: nothing is missing, fuzzy, or unlike its source."""

import pytest
from babel.messages.catalog import Catalog

from loyalty.languages.catalogues import path_of, read_catalogue
from loyalty.languages.faults import faults_of
from loyalty.languages.spoken import TRANSLATIONS


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_a_catalogue_is_complete(source: Catalog, language: str) -> None:
    assert list(faults_of(read_catalogue(language), source)) == []


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_a_catalogue_has_nothing_that_nobody_says_any_more(source: Catalog, language: str) -> None:
    said = {(message.context, message.id) for message in source}
    assert [message.id for message in read_catalogue(language) if (message.context, message.id) not in said] == []
    assert "#~" not in path_of(language).read_text()
