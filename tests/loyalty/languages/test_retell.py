"""Stored sentences are told again in the language of who reads; what is not ours stays as it is."""

import pytest
from babel.messages.catalog import Catalog
from django.utils.translation import override

from loyalty.languages.retell import Shape, retell, shapes_of, told_by


@pytest.fixture(scope="module")
def shapes() -> list[Shape]:
    catalogue = Catalog(locale="de")
    catalogue.add("Order %(number)s recorded.", "Bestellung %(number)s aufgenommen.")
    catalogue.add("Order %(number)s was deleted there. Order %(number)s stays.", "%(number)s bleibt.")
    catalogue.add("%(sentence)s It answered: “%(said)s”", "%(sentence)s Die Antwort: „%(said)s“")
    catalogue.add("The code is 10 % off.", "Der Code gibt 10 % Nachlass.")
    catalogue.add("%(name)s, %(moment)s", "%(moment)s, %(name)s")
    catalogue.add("Not translated: %(name)s.", "")
    catalogue.add(
        ("%(count)s order could not be read.", "%(count)s orders could not be read."),
        ("%(count)s Bestellung war nicht lesbar.", "%(count)s Bestellungen waren nicht lesbar."),
    )
    return shapes_of(catalogue)


@pytest.mark.parametrize(
    ("stored", "told"),
    [
        ("Order #1001 (a) recorded.", "Bestellung #1001 (a) aufgenommen."),
        ("Order 7 was deleted there. Order 7 stays.", "7 bleibt."),
        ("Order 7 was deleted there. Order 8 stays.", "Order 7 was deleted there. Order 8 stays."),
        ("Order 100% recorded.", "Bestellung 100% aufgenommen."),
        ("Order %(number)s recorded.", "Bestellung %(number)s aufgenommen."),
        (
            "Order 7 recorded. It answered: “Order 8 recorded.”",
            "Bestellung 7 aufgenommen. Die Antwort: „Order 8 recorded.“",
        ),
        ("The code is 10 % off.", "Der Code gibt 10 % Nachlass."),
        ("1 order could not be read.", "1 Bestellung war nicht lesbar."),
        ("20 orders could not be read.", "20 Bestellungen waren nicht lesbar."),
        ("Ana, today", "Ana, today"),
        ("Not translated: Ana.", "Not translated: Ana."),
        ("554 relay denied", "554 relay denied"),
        ("", ""),
    ],
)
def test_a_stored_sentence_is_told_with_its_facts(shapes: list[Shape], stored: str, told: str) -> None:
    assert told_by(shapes, stored) == told


def test_in_english_what_is_stored_is_told() -> None:
    with override("en"):
        assert retell("Order 1001 recorded.") == "Order 1001 recorded."
    with override("ja"):
        assert retell("554 relay denied") == "554 relay denied"
        assert retell("") == ""
