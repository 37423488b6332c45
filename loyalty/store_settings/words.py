"""The words of a store: what it calls credits and points in each language that its customers read (H3, H4)."""

from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from django.utils.translation import get_language, gettext_noop

from loyalty.languages.spoken import LANGUAGES, SOURCE
from loyalty.store_settings.facts import Facts

LONGEST_NAME: Final = 40
# What ends a line, or cannot be seen and turns the words around it.
ONE_LINE: Final = r"[^\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]*"
_NAME: Final = Facts(longest=LONGEST_NAME, pattern=ONE_LINE, mistake=gettext_noop("A name is one line of text."))


@dataclass(frozen=True, slots=True)
class LanguageWords:
    """What a store says in one language; empty is what we say.

    ``points`` are many of them or none, ``point`` is one, in languages that tell them apart.
    """

    credits: Annotated[str, _NAME] = ""
    points: Annotated[str, _NAME] = ""
    point: Annotated[str, _NAME] = ""

    def name_of(self, kind: Literal["credits", "points"]) -> str:
        """The store's own name for a kind of value; empty where it has none."""
        return self.credits if kind == "credits" else self.points

    def unit_of(self, count: int) -> str:
        """The store's own name behind this many points: ``Coin`` or ``Coins``; empty where it has none."""
        return self.point or self.points if count == 1 else self.points


@dataclass(frozen=True, slots=True)
class WordsSettings:
    """The words of a store in each of our languages."""

    en: LanguageWords = field(default_factory=LanguageWords)
    zh_hant: LanguageWords = field(default_factory=LanguageWords)
    de: LanguageWords = field(default_factory=LanguageWords)
    ja: LanguageWords = field(default_factory=LanguageWords)

    def in_language(self, language: str) -> LanguageWords:
        """The words in one of our languages, as Django names it: ``zh-hant``."""
        words: LanguageWords = getattr(self, FIELDS[language])
        return words

    @property
    def here(self) -> LanguageWords:
        """The words in the language of who reads now."""
        language = get_language()
        return self.in_language(language if language in FIELDS else SOURCE)


# What a language is called among the settings.
FIELDS: Final = {language: language.replace("-", "_") for language, _ in LANGUAGES}
