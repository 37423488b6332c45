"""Which languages the product speaks, and who understands which. English is the source of all others."""

from typing import Final

from babel.core import Locale

SOURCE: Final = "en"
# By the names that Django and HTTP have for them, each called what it calls itself.
LANGUAGES: Final = ((SOURCE, "English"), ("zh-hant", "繁體中文"), ("de", "Deutsch"), ("ja", "日本語"))
TRANSLATIONS: Final = tuple(name for name, _ in LANGUAGES if name != SOURCE)
CODES: Final = frozenset(name for name, _ in LANGUAGES)
# Where Chinese is written in simplified characters, which nothing is translated into.
_SIMPLIFIED: Final = frozenset({"CN", "SG", "MY"})


def spoken_by(locale: Locale) -> str | None:
    """The one of our languages that people of this locale read; None where we do not speak theirs."""
    if locale.language == "zh":
        simplified = locale.script == "Hans" if locale.script else locale.territory in _SIMPLIFIED
        return None if simplified else "zh-hant"
    return locale.language if locale.language in CODES else None
