"""Why rows are not imported, by code, and the words for each: stored as codes, said in the language of who looks."""

from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from loyalty.core.phrases import labelled
from loyalty.languages.own_names import own_words_lazy

# Found by readers, in the text of the row.
READING: Final[Mapping[str, object]] = {
    "no-number": _("This is not a number."),
    "no-day": _("This is not a day that the calendar has."),
    "no-kind": _("This is neither “credits” nor “points”."),
    "no-type": _("This is not one of granted, spent, expired and adjusted."),
    "no-currency": _("This is not a currency code such as USD."),
    "no-email": _("This is not an e-mail address."),
    "unclear": _("This can be read in two ways."),
    "too-long": _("This is longer than what can be kept here."),
    "not-storable": _("There are characters in here that do not belong in text."),
    "cut": _(
        "A spreadsheet has shortened this number. Export the file again, and do not save it in a spreadsheet first."
    ),
    "sum": _("This row adds up others; it is nobody’s."),
    "formula": _("This is a formula; please put its value there."),
    "columns": _("The row has more cells than the file has columns."),
    "empty": _("This must not be empty."),
    "unreadable": _("There are letters in here that cannot be read in the encoding that was chosen."),
    "spreadsheet-error": _("The spreadsheet shows an error here, or a date that it does not know."),
    "quotation": _(
        "A quotation mark stands within a cell. Write it twice, and put the whole cell into quotation marks."
    ),
    "too-few-cells": _("The row has fewer cells than the file has columns."),
}
# Found by the rehearsal, by what the rows say together and what is here already.
JUDGING: Final[Mapping[str, object]] = {
    "failed": _("Something unexpected is in this row; the log says what."),
    "row": _("Something else in this row cannot be imported."),
    "nobody": _("The row names nobody: give a number or an e-mail address."),
    "several-people": _("Several customers have this e-mail address; give the customer's number."),
    "not-positive": _("The amount must be above zero."),
    "too-fine": own_words_lazy("The amount is finer than the smallest amount of its currency; points are whole."),
    "too-large": _("The amount has more than twelve digits."),
    "too-early": _("The day is before the year 2000."),
    "too-far": _("The day is more than ten years ahead."),
    "in-the-future": _("That day is still to come."),
    "expired": _("This has expired already, so nothing is given."),
    "already": _("This was imported before, so nothing changes."),
    "repeated": _("Another row of this file has the same reference."),
    "code-repeated": _("This code is here already, or in another row of this file."),
    "code-without-worth": own_words_lazy(
        "A code must cost points and be worth something; a percentage is at most 100."
    ),
    "history-too-late": _("This customer has movements here already, and history can only come before them."),
    "history-below-zero": _("With this row the old balance would have been below zero."),
    "history-incomplete": _("Another row of this customer's old history cannot be imported, so none of it is."),
    "wrong-sign": _("What was spent or has expired must be below zero, what was granted above."),
}
WORDS: Final[Mapping[str, object]] = {**READING, **JUDGING}
# Rows that were left out with these codes are as they should be: nothing is to be mended.
NO_FAULT: Final = frozenset({"expired", "already"})


def words_of(code: str) -> str:
    """The sentence for a problem; the code itself where nobody knows it any more."""
    return str(WORDS.get(code, code))


def words_of_same(first: str) -> str:
    """What is said of a row that is imported though the row ``first`` says the same."""
    words = gettext("Row %(row)s says the same, and there is no reference by which to tell: both are imported.")
    return words % {"row": first}


def words_in_place(code: str, heading: str, said: str) -> str:
    """The same with the column of the file and what stands there (its beginning), each where it is known."""
    words = words_of(code)
    if heading and said:
        return gettext("%(column)s “%(said)s”: %(words)s") % {"column": heading, "said": said, "words": words}
    return labelled(heading, words) if heading else words
