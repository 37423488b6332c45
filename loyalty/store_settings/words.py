"""The words of a store: what it calls credits and points, and what its letters say, in each language (H3, H4)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated, Final, Literal

from django.utils.translation import get_language, gettext_noop
from django.utils.translation import gettext as _

from loyalty.core.errors import FieldError
from loyalty.core.phrases import enumerated
from loyalty.languages.spoken import LANGUAGES, SOURCE
from loyalty.store_settings.facts import Facts

LONGEST_NAME: Final = 40
LONGEST_SUBJECT: Final = 150
LONGEST_TEXT: Final = 600
# What ends a line, or cannot be seen and turns the words around it.
ONE_LINE: Final = r"[^\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]*"
_LINES: Final = r"[^\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]*"
_NAME: Final = Facts(longest=LONGEST_NAME, pattern=ONE_LINE, mistake=gettext_noop("A name is one line of text."))
_SUBJECT: Final = Facts(
    longest=LONGEST_SUBJECT, pattern=ONE_LINE, mistake=gettext_noop("A subject is one line of text.")
)
_TEXT: Final = Facts(
    longest=LONGEST_TEXT,
    pattern=_LINES,
    mistake=gettext_noop("This text holds characters that cannot be seen. Type it anew."),
)
_PLACE: Final = re.compile(r"\{([^{}]*)\}")
_BRACES: Final = re.compile(r"[{}]")
_SHOWN_OF_MISTAKE: Final = 40

About = Literal["cancelled", "not_paid", "payment_failed", "returned", "reversed", "expiring", "adjusted"]
# What the words of each kind of letter may name, beside what every letter can.
_OF_AN_ORDER: Final = ("customer", "store", "order", "amount")
PLACEHOLDERS: Final[Mapping[About, tuple[str, ...]]] = {
    "cancelled": _OF_AN_ORDER,
    "not_paid": _OF_AN_ORDER,
    "payment_failed": _OF_AN_ORDER,
    "returned": _OF_AN_ORDER,
    "reversed": ("customer", "store", "reward", "amount"),
    "expiring": ("customer", "store", "amount", "day"),
    "adjusted": ("customer", "store", "kind"),
}


@dataclass(frozen=True, slots=True)
class LetterWords:
    """What a store says otherwise in one kind of letter; empty is what we say."""

    subject: Annotated[str, _SUBJECT] = ""
    opening: Annotated[str, _TEXT] = ""
    closing: Annotated[str, _TEXT] = ""


@dataclass(frozen=True, slots=True)
class LanguageWords:
    """What a store says in one language; empty is what we say.

    ``points`` are many of them or none, ``point`` is one, in languages that tell them apart. Then a field for each
    kind of letter.
    """

    credits: Annotated[str, _NAME] = ""
    points: Annotated[str, _NAME] = ""
    point: Annotated[str, _NAME] = ""
    cancelled: LetterWords = field(default_factory=LetterWords)
    not_paid: LetterWords = field(default_factory=LetterWords)
    payment_failed: LetterWords = field(default_factory=LetterWords)
    returned: LetterWords = field(default_factory=LetterWords)
    reversed: LetterWords = field(default_factory=LetterWords)
    expiring: LetterWords = field(default_factory=LetterWords)
    adjusted: LetterWords = field(default_factory=LetterWords)

    def name_of(self, kind: Literal["credits", "points"]) -> str:
        """The store's own name for a kind of value; empty where it has none."""
        return self.credits if kind == "credits" else self.points

    def unit_of(self, count: int) -> str:
        """The store's own name behind this many points: ``Coin`` or ``Coins``; empty where it has none."""
        return self.point or self.points if count == 1 else self.points

    def about(self, about: About) -> LetterWords:
        """The words of one kind of letter."""
        words: LetterWords = getattr(self, about)
        return words


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
FIELDS: Final = {language: language.replace("-", "_") for language, _name in LANGUAGES}


def fill(text: str, facts: Mapping[str, str]) -> str:
    """The text with ``{order}`` and its like filled in, once: a fact that looks like a placeholder stays as it is.

    Nothing but these names means anything: what else stands in the text is shown as it was typed.
    """
    return _PLACE.sub(lambda found: facts.get(found[1], found[0]), text)


def wrong_words(words: WordsSettings) -> Iterator[FieldError]:
    """Placeholders that there are not, and braces that make none."""
    for language in fields(words):
        for about, names in PLACEHOLDERS.items():
            said = getattr(words, language.name).about(about)
            for part in fields(said):
                for sentence in _mistakes(getattr(said, part.name), names):
                    yield FieldError(f"/words/{language.name}/{about}/{part.name}", "invalid", sentence)


def _mistakes(text: str, names: tuple[str, ...]) -> Iterator[str]:
    known = enumerated(f"{{{name}}}" for name in names)
    strange = next((name for name in _PLACE.findall(text) if name not in names), None)
    if strange is not None:
        words = _("There is no placeholder “{%(name)s}”. These can be used here: %(known)s.")
        yield words % {"name": strange[:_SHOWN_OF_MISTAKE], "known": known}
    elif _BRACES.search(_PLACE.sub("", text)):
        yield _("A brace stands alone. Braces are for placeholders: %(known)s.") % {"known": known}
