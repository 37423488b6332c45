"""Sentences behind one another and counts, as the language of who reads has them.

Chinese and Japanese leave no blank between sentences; German writes 1.200 for what English writes 1,200.
"""

from django import template

from loyalty.core import phrases
from loyalty.core.locales import count_text

register = template.Library()
register.filter("as_sentences", phrases.sentences)
register.filter("as_count", count_text)
register.simple_tag(phrases.labelled)


@register.simple_tag
def sentences(*parts: str) -> str:
    """The sentences that are given."""
    return phrases.sentences(parts)
