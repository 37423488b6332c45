"""Our catalogues of messages: put together from the source, and compiled, without any program of gettext's."""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation import to_locale
from django.utils.translation.template import templatize

from loyalty.languages.spoken import SOURCE, TRANSLATIONS

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = ROOT / "locale"
_APPS: Final = ("loyalty", "orders", "credits", "points")
_CALLS: Final = {
    **DEFAULT_KEYWORDS,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
# What changes with every run and says nothing.
_PASSING: Final = re.compile(
    r'^"(?:Project-Id-Version|Report-Msgid-Bugs-To|POT-Creation-Date|PO-Revision-Date|Last-Translator|Language-Team'
    r"|Generated-By): .*\n",
    re.MULTILINE,
)


def source_messages() -> Catalog:
    """Every message of the source, with the files it is in."""
    found = Catalog(charset="utf-8")
    for path in _sources():
        name = str(path.relative_to(ROOT))
        text = path.read_text() if path.suffix == ".py" else _as_python(path)
        for _, message, comments, context in extract("python", BytesIO(text.encode()), _CALLS, ("Translators:",)):
            found.add(message, locations=[(name, 0)], auto_comments=comments, context=context)
    return found


def read_catalogue(language: str) -> Catalog:
    """The catalogue of a language as it stands."""
    with path_of(language).open("rb") as file:
        return read_po(file, locale=to_locale(language), domain="django")


def refresh(language: str, source: Catalog) -> None:
    """Bring a catalogue to the messages of the source: new ones are empty, those that are gone leave."""
    path = path_of(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    catalogue = read_catalogue(language) if path.exists() else Catalog(locale=to_locale(language))
    catalogue.update(source, no_fuzzy_matching=True)
    catalogue.fuzzy, catalogue.header_comment = False, "# The messages of Loyalty Back-Office."
    out = BytesIO()
    write_po(out, catalogue, width=120, sort_output=True, ignore_obsolete=True, include_lineno=False)
    path.write_text(_PASSING.sub("", out.getvalue().decode()))


def compile_catalogue(language: str) -> None:
    """Write the compiled form of a catalogue, which Django reads. What is fuzzy or empty is left in English."""
    with path_of(language).with_suffix(".mo").open("wb") as file:
        write_mo(file, read_catalogue(language))


def compile_all() -> None:
    """Compile every catalogue, and one of the source.

    Where a language has no catalogue, each text of a page is sought in all that it could be in before it is said as it
    stands: an English page took longer than a Chinese one.
    """
    for language in TRANSLATIONS:
        compile_catalogue(language)
    messages = read_catalogue(TRANSLATIONS[0])
    english = Catalog(locale=SOURCE)
    for message in messages:
        if message.id:
            english.add(message.id, message.id, context=message.context)
    path_of(SOURCE).parent.mkdir(parents=True, exist_ok=True)
    with path_of(SOURCE).with_suffix(".mo").open("wb") as file:
        write_mo(file, english)


def path_of(language: str) -> Path:
    """Where the catalogue of a language is."""
    return FOLDER / to_locale(language) / "LC_MESSAGES" / "django.po"


def _sources() -> Iterator[Path]:
    for app in _APPS:
        for path in sorted((ROOT / app).rglob("*")):
            is_template = path.suffix in (".html", ".txt") and "templates" in path.parts
            if is_template or (path.suffix == ".py" and "migrations" not in path.parts):
                yield path


def _as_python(path: Path) -> str:
    """A template as calls of gettext; what stands before them on a line would be indentation."""
    return "\n".join(line.strip() for line in templatize(path.read_text(), origin=str(path)).splitlines())
