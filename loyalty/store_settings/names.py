"""A store's names for credits and points, for who reads now."""

from collections.abc import Callable
from functools import cache

from loyalty.store_settings.sections import current_settings
from loyalty.store_settings.words import LanguageWords
from loyalty.stores.models import Store


def names_of(store: Store) -> Callable[[], LanguageWords]:
    """What answers the store's names in the language of the moment; one query at the first question, then none."""
    words = cache(lambda: current_settings(store).words)
    return lambda: words().here
