"""Addresses that ``{% url %}`` does not know where the template stands."""

from django import template

from loyalty.web import addresses

register = template.Library()
register.simple_tag(addresses.common_page)
register.simple_tag(addresses.page_of)
