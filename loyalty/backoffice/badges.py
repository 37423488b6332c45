"""What stands in a cell: a coloured label, a count that ends somewhere, or the dash for nothing."""

from typing import Any, Final

from django.db.models import QuerySet
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from loyalty.core.locales import count_text

DASH: Final = "–"


def badge(words: object, colour: str = "") -> SafeString:
    """A coloured label; the words carry the meaning, the colour only helps."""
    return format_html('<span class="badge{}">{}</span>', f" badge-{colour}" if colour else "", words)


def count_to(most: int, rows: "QuerySet[Any]") -> int:
    """How many rows there are; one more than ``most`` for all that are more, so that a million are not counted."""
    return rows.order_by()[: most + 1].count()


def count_words(count: int, most: int) -> str:
    """What :func:`count_to` counted, such as ``40`` or ``More than 1,000``."""
    return _("More than %(most)s") % {"most": count_text(most)} if count > most else count_text(count)
