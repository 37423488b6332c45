"""How a store speaks to its customers: its names for credits and points, amounts and days as its letters write them."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.translation import pgettext

from loyalty.core.money import format_amount, format_number
from loyalty.store_settings.sections import StoreSettings
from loyalty.store_settings.words import LanguageWords
from loyalty.stores.dates import show_day_in_words
from loyalty.stores.models import Store


@dataclass(frozen=True, slots=True)
class Voice:
    """A store and its settings, in the language in which a letter is being written."""

    store: Store
    settings: StoreSettings

    @property
    def words(self) -> LanguageWords:
        """The store's own words."""
        return self.settings.words.here

    def show(self, amount: Decimal | int, currency: str) -> str:
        """An amount with its unit: ``15.00 USD``; points as the store calls them, ``1 Coin``, ``100 points``."""
        unit = "" if currency else self.words.unit_of(int(amount))
        if not unit:
            return format_amount(amount, currency, self.store.written_in)
        number = format_number(amount, currency, self.store.written_in)
        return pgettext("points", "%(number)s %(unit)s") % {"number": number, "unit": unit}

    def day(self, day: date | None) -> str:
        """A day as a sentence has it."""
        return show_day_in_words(day, self.store)
