"""Headings that name a kind of value, as the store calls it."""

from django import template

from loyalty.languages import own_names

register = template.Library()
register.simple_tag(own_names.own_words)
register.simple_tag(own_names.both_names)
