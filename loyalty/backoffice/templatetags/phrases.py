"""Sentences behind one another, as the language of who reads has them: Chinese and Japanese leave no blank between."""

from django import template

from loyalty.core import phrases

register = template.Library()
register.filter("as_sentences", phrases.sentences)
register.simple_tag(phrases.labelled)


@register.simple_tag
def sentences(*parts: str) -> str:
    """The sentences that are given."""
    return phrases.sentences(parts)
