"""What somebody says of a file on the page that shows it: how it is read, and what its columns are."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.core.money import currencies
from loyalty.importing.encodings import ENCODINGS
from loyalty.languages.own_names import own_words
from loyalty.platforms.registry import LABELS
from loyalty.stores.models import Store
from orders.services.balance_imports.layouts.fields import FIELDS
from orders.services.balance_imports.layouts.suggest import FORMS, Suggestion

SEPARATORS: Final = {
    ",": gettext_lazy("Comma ,"),
    ";": gettext_lazy("Semicolon ;"),
    "\t": gettext_lazy("Tab"),
    "|": gettext_lazy("Bar |"),
}
DECIMAL_MARKS: Final = {".": gettext_lazy("Point: 1,234.50"), ",": gettext_lazy("Comma: 1.234,50")}
DAY_ORDERS: Final = {
    "day": gettext_lazy("Day first: 31/12/2027"),
    "month": gettext_lazy("Month first: 12/31/2027"),
    "year": gettext_lazy("Year first: 27/12/31"),
}
LABELS_OF_FORMS: Final = {
    "encoding": gettext_lazy("Encoding"),
    "separator": gettext_lazy("Column separator"),
    "sheet": gettext_lazy("Sheet"),
    "header_row": gettext_lazy("Row with the columns' names"),
    "decimal_mark": gettext_lazy("Decimals"),
    "day_order": gettext_lazy("Days such as 03/04/2027"),
    "currency": gettext_lazy("Currency of amounts without one"),
}
_SHOWN_CHOICES: Final = 20


def column_name(place: int) -> str:
    """What the field of the column at this place is called."""
    return f"column_{place}"


class LayoutForm(forms.Form):
    """A field for each part of the form that the file leaves a choice about, and one for each column."""

    platform = forms.ChoiceField(label=gettext_lazy("Whose the customers' numbers are"), required=False)
    keep_as = forms.CharField(
        label=gettext_lazy("Keep these choices under a name"),
        required=False,
        max_length=100,
        help_text=gettext_lazy("For the next file of the same system. Leave it empty to keep nothing."),
    )

    def __init__(self, suggestion: Suggestion, store: Store, data: Mapping[str, str] | None = None) -> None:
        super().__init__(data, label_suffix="")
        self.suggestion = suggestion
        layout = suggestion.layout
        values = {
            "decimal_mark": layout.decimal_mark,
            "day_order": layout.day_order,
            "currency": layout.currency,
            "encoding": layout.shape.encoding,
            "separator": layout.shape.separator,
            "sheet": layout.shape.sheet,
            "header_row": str(layout.shape.header_row),
        }
        for name in FORMS:
            if name in suggestion.guesses:
                self._add(name, values[name], store)
        platform = cast("forms.ChoiceField", self.fields["platform"])
        platform.choices = [("", _("The shop's own numbers")), *LABELS.items()]
        platform.initial = layout.platform
        chosen = {heading: key for key, heading in layout.columns.items()}
        for place, heading in enumerate(suggestion.look.headings):
            field = forms.ChoiceField(
                label=heading, required=False, choices=_columns(), initial=chosen.get(heading, "")
            )
            self.fields[column_name(place)] = field

    def _add(self, name: str, value: str, store: Store) -> None:
        guess = self.suggestion.guesses[name]
        asked = name in self.suggestion.asked
        choices = self._choices(name, store)
        if asked:
            choices = [("", _("Please choose")), *choices]
        self.fields[name] = forms.ChoiceField(
            label=LABELS_OF_FORMS[name],
            choices=choices,
            initial="" if asked else value,
            help_text=guess.why,
            required=False,
        )

    def _choices(self, name: str, store: Store) -> list[tuple[str, Any]]:
        look, guess = self.suggestion.look, self.suggestion.guesses[name]
        if name == "currency":
            first = dict.fromkeys([*guess.choices, guess.value, store.currency])
            return [(code, code) for code in [*first, *(code for code in currencies() if code not in first)] if code]
        if name == "sheet":
            return [(sheet, sheet) for sheet in guess.choices or (look.shape.sheet,)]
        if name == "header_row":
            numbers = sorted({look.shape.header_row, *map(int, guess.choices), *range(1, _SHOWN_CHOICES)})
            return [(str(number), _("Row %(row)s") % {"row": number}) for number in numbers]
        if name == "day_order":
            none = [] if guess.choices or guess.value else [("", _("No day needs it"))]
            return [*none, *DAY_ORDERS.items()]
        known: dict[str, Mapping[str, Any]] = {
            "encoding": ENCODINGS,
            "separator": SEPARATORS,
            "decimal_mark": DECIMAL_MARKS,
        }
        return list(known[name].items())

    def forms_shown(self) -> Iterator[dict[str, Any]]:
        """The fields of the file's form, those that are asked first."""
        names = [name for name in FORMS if name in self.fields]
        for name in sorted(names, key=lambda name: name not in self.suggestion.asked):
            yield {"field": self[name], "asked": name in self.suggestion.asked}

    def columns(self) -> Iterator[dict[str, Any]]:
        """Each column with its field and what stands in it in the first rows."""
        for place, heading in enumerate(self.suggestion.look.headings):
            cells = (row.cells[place] for row in self.suggestion.look.first if place < len(row.cells))
            examples = [f"{cell:%Y-%m-%d}" if hasattr(cell, "strftime") else str(cell) for cell in cells if cell != ""]
            yield {"name": heading, "field": self[column_name(place)], "examples": examples[:3]}

    def clean(self) -> dict[str, Any]:
        """What is asked has an answer, no field has two columns, and somebody is named."""
        cleaned = self.cleaned_data
        for name in self.suggestion.asked:
            self.add_error(name, _("Please choose: the file can be read in two ways."))
        said: dict[str, str] = {}
        for place, heading in enumerate(self.suggestion.look.headings):
            key = cleaned.get(column_name(place), "")
            if key in said:
                words = _("“%(other)s” says this already. Choose one of the two.") % {"other": said[key]}
                self.add_error(column_name(place), words)
            elif key:
                said[key] = heading
        if not {"email", "external_id"} & said.keys():
            self.add_error(None, _("Say which column has the e-mail addresses or the customers' numbers."))
        if "amount" in said and "kind" not in said:
            self.add_error(None, own_words("Say which column tells whether an amount is store credits or points."))
        if ("past_at" in said) != ("past_type" in said):
            self.add_error(None, _("Old history needs two columns: when it happened, and what happened."))
        return cleaned


def _columns() -> list[tuple[Any, Any]]:
    """What a column may say, under what it is about."""
    groups: dict[Any, list[tuple[str, Any]]] = {}
    for field in FIELDS.values():
        groups.setdefault(field.group, []).append((field.key, field.label))
    return [("", _("Not needed")), *groups.items()]


def said_forms(data: Mapping[str, str]) -> dict[str, str]:
    """What was said of the file's form."""
    return {name: data[name] for name in (*FORMS, "platform") if name in data}


def said_columns(data: Mapping[str, str], headings: tuple[str, ...]) -> dict[str, str]:
    """The columns that were chosen, by what they say; of a field that has two the first."""
    chosen: dict[str, str] = {}
    for place, heading in enumerate(headings):
        key = data.get(column_name(place), "")
        if key and key not in chosen:
            chosen[key] = heading
    return chosen
