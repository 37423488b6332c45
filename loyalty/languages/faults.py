"""What is wrong with a catalogue: messages that are missing or fuzzy, or that do not fit their source."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from babel.messages.catalog import Catalog, Message

_PLACEHOLDER: Final = re.compile(r"%\(\w+\)[a-z]|%%|%[sd]|\{\w*(?:[:.\[][^{}]*)?\}")
_TAG: Final = re.compile(r"</?[a-zA-Z][^<>]*>")


def faults_of(catalogue: Catalog, source: Catalog) -> Iterator[str]:
    """Each fault as a line that quotes its message."""
    for message in source:
        if not message.id:
            continue
        fault = _fault(message, _translation(catalogue, message), catalogue.num_plurals)
        if fault:
            yield f"{fault}: {message.id!r}"


def _translation(catalogue: Catalog, message: Message) -> Message | None:
    one = message.id if isinstance(message.id, str) else message.id[0]
    return catalogue.get(one, message.context)


def _fault(message: Message, translated: Message | None, plurals: int) -> str:
    """What is wrong with one message, in a few words; empty for nothing."""
    if translated is None:
        return "not in the catalogue"
    if translated.fuzzy:
        return "fuzzy"
    sources = [message.id] if isinstance(message.id, str) else list(message.id)
    given = [translated.string] if isinstance(translated.string, str) else list(translated.string or ())
    if not given or not all(given):
        return "not translated"
    if len(given) != (plurals if len(sources) > 1 else 1):
        return "plural forms are missing"
    return next(filter(None, (_unlike(sources, text) for text in given)), "")


def _unlike(sources: Sequence[str], text: str) -> str:
    if not any(_marks(_PLACEHOLDER, text) == _marks(_PLACEHOLDER, one) for one in sources):
        return "other placeholders"
    if not any(_marks(_TAG, text) == _marks(_TAG, one) for one in sources):
        return "other HTML"
    return ""


def _marks(pattern: re.Pattern[str], text: str) -> Counter[str]:
    return Counter(pattern.findall(text))
