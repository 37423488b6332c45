"""Messages of packages that bring no translation of their own into one of our languages: ours have them as well.

The theme has none at all. What its pages say and nobody has translated, a test finds (tests/languages).
"""

from typing import Final

from django.utils.translation import gettext_noop

OF_THE_THEME: Final = (
    gettext_noop("Dark"),
    gettext_noop("Go back"),
    gettext_noop("Light"),
    gettext_noop("Run"),
    gettext_noop("Select action"),
    gettext_noop("Select action to run"),
    gettext_noop("Select all rows"),
    gettext_noop("Select record"),
    gettext_noop("System"),
    gettext_noop("Type to search"),
)
OF_REST_FRAMEWORK: Final = (
    gettext_noop("Ensure this field has at least {min_length} elements."),
    gettext_noop("Ensure this field has no more than {max_length} elements."),
    gettext_noop('Expected a dictionary of items but got type "{input_type}".'),
    gettext_noop("Must be a valid boolean."),
    gettext_noop("Not a valid string."),
    gettext_noop("This dictionary may not be empty."),
)
