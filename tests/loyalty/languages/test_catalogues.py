"""Catalogues: what is in them, and what is found to be wrong with one."""

from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from django.utils.translation import override

from loyalty.languages import catalogues
from loyalty.languages.catalogues import compile_catalogue, path_of, read_catalogue, refresh
from loyalty.languages.faults import faults_of
from orders.models import OrderStatus, PaymentStatus

ORDERS = ("%(count)s order", "%(count)s orders")


@pytest.fixture
def source() -> Catalog:
    """Three messages, one of them with plural forms."""
    made = Catalog()
    made.add("Hello %(name)s, <b>look</b>", locations=[("a.py", 1)])
    made.add(ORDERS, locations=[("a.py", 2)])
    made.add("May", context="month")
    return made


@pytest.fixture
def german() -> Catalog:
    """The same in German."""
    made = Catalog(locale="de")
    made.add("Hello %(name)s, <b>look</b>", "Hallo %(name)s, <b>sieh</b>")
    made.add(ORDERS, ("%(count)s Bestellung", "%(count)s Bestellungen"))
    made.add("May", "Mai", context="month")
    return made


def test_a_whole_catalogue_has_no_fault(source: Catalog, german: Catalog) -> None:
    assert list(faults_of(german, source)) == []


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("Hallo %(nome)s, <b>sieh</b>", "other placeholders"), ("Hallo, <b>sieh</b>", "other placeholders"),
        ("Hallo %(name)s, %(name)s, <b>sieh</b>", "other placeholders"), ("Hallo %(name)s, sieh", "other HTML"),
        ("Hallo %(name)s, <b>sieh</b><script>", "other HTML"), ("", "not translated"),
    ],
)  # fmt: skip
def test_what_does_not_fit_its_source_is_a_fault(source: Catalog, german: Catalog, words: str, fault: str) -> None:
    german["Hello %(name)s, <b>look</b>"].string = words
    assert [line.partition(":")[0] for line in faults_of(german, source)] == [fault]


def test_missing_fuzzy_and_half_plurals_are_faults(source: Catalog, german: Catalog) -> None:
    german.delete("May", context="month")
    german["Hello %(name)s, <b>look</b>"].flags.add("fuzzy")
    german[ORDERS].string = ("%(count)s Bestellung", "")
    found = [line.partition(":")[0] for line in faults_of(german, source)]
    assert found == ["fuzzy", "not translated", "not in the catalogue"]
    german[ORDERS].string = ("%(count)s Bestellung",)
    assert "plural forms are missing" in [line.partition(":")[0] for line in faults_of(german, source)]


def test_refreshing_keeps_what_is_translated_and_drops_what_is_gone(
    source: Catalog, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(catalogues, "FOLDER", tmp_path)
    refresh("de", source)
    path = path_of("de")
    path.write_text(path.read_text().replace('msgid "May"\nmsgstr ""', 'msgid "May"\nmsgstr "Mai"'))
    source.delete("Hello %(name)s, <b>look</b>")
    refresh("de", source)
    catalogue = read_catalogue("de")
    assert catalogue.get("May", "month").string == "Mai"  # type: ignore[union-attr]
    assert {message.id for message in catalogue if message.id} == {"May", ORDERS}
    before = path.read_text()
    refresh("de", source)
    assert path.read_text() == before
    compile_catalogue("de")
    assert b"Mai" in path.with_suffix(".mo").read_bytes()


def test_messages_are_found_in_code_and_templates(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    templates = tmp_path / "orders" / "templates"
    templates.mkdir(parents=True)
    (templates / "a.html").write_text(
        '{% if x %}\n  <p title="{% translate "Title" %}">\n'
        "{% blocktranslate trimmed count n=n %}One\n order{% plural %}{{ n }} orders{% endblocktranslate %}{% endif %}"
    )
    (tmp_path / "orders" / "b.py").write_text("x = _('Lazy'), npgettext_lazy('kind', 'one', 'many', 'n')")
    monkeypatch.setattr(catalogues, "ROOT", tmp_path)
    found = {message.id for message in catalogues.source_messages() if message.id}
    assert found == {"Title", ("One order", "%(n)s orders"), "Lazy", ("one", "many")}


def test_o1_an_order_and_its_payment_have_the_words_of_the_glossary() -> None:
    """One English word and two of Chinese: a payment that is pending is not paid yet, such an order is worked on."""
    with override("zh-hant"):
        payments = [str(status.label) for status in PaymentStatus]
        assert (payments[:4], str(OrderStatus.PENDING.label)) == (["未付款", "已付款", "付款失敗", "已逾期"], "處理中")
