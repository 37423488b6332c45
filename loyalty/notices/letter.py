"""A letter to a customer: what it tells, in the words of its store where it has its own; one layout for all (H3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.template.loader import render_to_string
from django.utils.translation import pgettext

from loyalty.notices.voice import Voice
from loyalty.notices.write import Message
from loyalty.store_settings.words import About, fill


@dataclass(frozen=True, slots=True)
class Part:
    """Lines under a heading, which may be empty."""

    title: str
    lines: Sequence[str]


@dataclass(frozen=True, slots=True)
class Content:
    """What a letter tells. ``subject`` and ``opening`` are ours, said where the store has no own words.

    ``facts`` fill the placeholders of the store's words, beside the customer's and the store's names. ``stop`` is where
    somebody has no more of these letters sent to him.
    """

    about: About
    subject: str
    opening: str
    customer: str
    parts: Sequence[Part] = ()
    after: str = ""
    stop: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


def write_letter(content: Content, voice: Voice) -> Message:
    """The letter as text and as HTML: both are made of the same paragraphs and lines."""
    own = voice.words.about(content.about)
    facts = {**content.facts, "store": voice.store.name, "customer": content.customer or pgettext("letter", "customer")}
    subject = fill(own.subject, facts) or content.subject
    context = {
        "store": voice.store,
        "letterhead": voice.settings.letterhead,
        "subject": subject,
        "customer_name": content.customer,
        "opening": _paragraphs(fill(own.opening, facts) or content.opening),
        "parts": content.parts,
        "after": content.after,
        "stop": content.stop,
        "closing": _paragraphs(fill(own.closing, facts)),
    }
    return Message(
        subject=subject,
        text=render_to_string("loyalty/notices/letter.txt", context),
        html=render_to_string("loyalty/notices/letter.html", context),
        about=content.about,
    )


def _paragraphs(text: str) -> list[str]:
    """What stands between empty lines; the lines of each stay lines."""
    lines = "\n".join(line.strip() for line in text.splitlines())
    return [paragraph.strip() for paragraph in lines.split("\n\n") if paragraph.strip()]
