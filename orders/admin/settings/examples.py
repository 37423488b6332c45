"""Letters as customers would get them, with an invented customer: what the settings pages show and send to try (H3)."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.core.days import end_of_day, local_day
from loyalty.ledger.adjust import Adjustment
from loyalty.ledger.adjust_notice import Change, compose
from loyalty.notices.letter import Part, write_letter
from loyalty.notices.unsubscribe import public_url
from loyalty.notices.voice import Voice
from loyalty.notices.write import Message
from loyalty.store_settings.words import About
from loyalty.stores.models import Customer
from orders.kinds import title_in
from orders.services.customers.remind import tell_of_endings
from orders.services.redemptions.notice import opening_words, tell_of_reversal
from orders.services.reverts.notice import expired_words, returned_words, tell_of_order

_INVENTED: Final = gettext_noop("Ana Lee")
_REWARD: Final = gettext_noop("5 off your next order")
_NUMBER: Final = "1001"
_WEEK: Final = 7


def example_of(about: About, voice: Voice, now: datetime) -> Message:
    """One letter of this kind, in the language of who reads now; nothing is written or sent."""
    return _EXAMPLES.get(about, _of_order)(about, voice, now)


def _of_order(about: About, voice: Voice, now: datetime) -> Message:
    currency = voice.store.currency
    parts = [
        Part(
            title_in(voice, "credits"),
            (
                returned_words(Decimal(5), currency, _day(voice, now, 60), voice),
                expired_words(Decimal(10), currency, _day(voice, now, -4), voice),
            ),
        ),
        Part(title_in(voice, "points"), (returned_words(100, "", None, voice),)),
    ]
    back = [voice.show(Decimal(5), currency), voice.show(100, "")]
    return write_letter(tell_of_order(about, _NUMBER, parts, voice=voice, customer=_(_INVENTED), back=back), voice)


def _of_reversal(_about: About, voice: Voice, now: datetime) -> Message:
    lines = [returned_words(500, "", _day(voice, now, 60), voice)]
    content = tell_of_reversal(
        _(_REWARD),
        opening_words(_(_REWARD), voice),
        lines,
        voice=voice,
        customer=_(_INVENTED),
        back=voice.show(500, ""),
    )
    return write_letter(content, voice)


def _of_endings(_about: About, voice: Voice, now: datetime) -> Message:
    day = _day(voice, now, voice.settings.reminders.days_before or _WEEK)
    content = tell_of_endings(
        {"credits": [(Decimal(5), voice.store.currency, day)], "points": [(100, "", day)]},
        voice=voice,
        customer=_(_INVENTED),
        stop=public_url(),
    )
    return write_letter(content, voice)


def _of_gift(_about: About, voice: Voice, now: datetime) -> Message:
    gift = Adjustment(100, "", expires_at=end_of_day(_day(voice, now, 60), voice.store.tz))
    name = _(_INVENTED)
    return compose("points", [Change(Customer(name=name), gift, 250)], voice=voice, customer_name=name)


def _day(voice: Voice, now: datetime, days: int) -> date:
    return local_day(now, voice.store.tz) + timedelta(days=days)


_EXAMPLES: Final[Mapping[About, Callable[[About, Voice, datetime], Message]]] = {
    "reversed": _of_reversal,
    "expiring": _of_endings,
    "adjusted": _of_gift,
}
