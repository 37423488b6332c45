"""What settings must be to be saved: each within its bounds, and fitting one another (H4)."""

import calendar
from collections.abc import Iterator
from dataclasses import is_dataclass, replace
from typing import Any, Final

from django.utils.translation import gettext as _

from loyalty.core.errors import FieldError, Invalid
from loyalty.core.tags import tag_key
from loyalty.core.values import check_amount
from loyalty.languages.own_names import own_words
from loyalty.store_settings.facts import facts_by_name
from loyalty.store_settings.logo import has_logo
from loyalty.store_settings.sections import StoreSettings
from loyalty.store_settings.words import wrong_words
from loyalty.stores.models import Store

_LEAP_YEAR: Final = 2024


def check_settings(settings: StoreSettings, store: Store) -> StoreSettings:
    """The settings as they can be saved, amounts with the currency's decimals. Raises Invalid naming what is wrong."""
    if errors := [*_out_of_bounds(settings, ""), *wrong_words(settings.words)]:
        raise Invalid(errors=errors)
    if (logo := settings.letterhead.logo) and not has_logo(store, logo):
        raise Invalid.at("/letterhead/logo", _("This store has no picture of this name."), code="not-found")
    limits = settings.limits
    if limits.support_adjust_credits is not None:
        pointer = "/limits/support_adjust_credits"
        amount = check_amount(limits.support_adjust_credits, store.currency, pointer)
        settings = replace(settings, limits=replace(limits, support_adjust_credits=amount))
    _check_together(settings)
    return settings


def _out_of_bounds(section: Any, prefix: str) -> Iterator[FieldError]:
    kind: Any = type(section)
    for name, facts in facts_by_name(kind).items():
        value, pointer = getattr(section, name), f"{prefix}/{name}"
        if is_dataclass(value):
            yield from _out_of_bounds(value, pointer)
        else:
            yield from (FieldError(pointer, code, words) for code, words in facts.wrong(value))


def _check_together(settings: StoreSettings) -> None:
    if settings.extend.default_days > settings.extend.max_days:
        raise Invalid.at("/extend/default_days", _("The default is more than the maximum."), code="does-not-fit")
    tag = settings.write_back.tag
    if tag and tag_key(tag) in {tag_key(trigger) for trigger in settings.spent_revert.tags}:
        words = _("“%(tag)s” is a tag that returns value; what marks a return must not cause one.") % {"tag": tag}
        raise Invalid.at("/write_back/tag", words, code="does-not-fit")
    if tag and tag_key(tag) in {tag_key(trigger) for trigger in settings.earned_points.tags}:
        words = own_words("“%(tag)s” is a tag that takes earned points back; what marks a return must not do that.") % {
            "tag": tag
        }
        raise Invalid.at("/write_back/tag", words, code="does-not-fit")
    expiry = settings.points_expiry
    if expiry.day > calendar.monthrange(_LEAP_YEAR, expiry.month)[1]:
        raise Invalid.at("/points_expiry/day", _("The month has no such day."), code="does-not-fit")
