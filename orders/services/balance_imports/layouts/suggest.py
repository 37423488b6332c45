"""How a file is probably laid out, and what of that a person has to be asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO, Final

from django.utils.translation import gettext_lazy as _

from loyalty.core.money import is_currency
from loyalty.importing.currencies import guess_currency
from loyalty.importing.days import guess_day_order
from loyalty.importing.look import Look, first_texts, look_at
from loyalty.importing.numbers import guess_decimal_mark
from loyalty.importing.tables import Guess
from loyalty.stores.models import Store
from orders.services.balance_imports.layouts.fields import AMOUNTS, DAYS, FIELDS, MONEY
from orders.services.balance_imports.layouts.layout import Layout
from orders.services.balance_imports.layouts.recognise import recognise

# What people say about a file's form; the rest of what they say is the column of each field.
FORMS: Final[Mapping[str, object]] = {
    "encoding": _("encoding"),
    "separator": _("column separator"),
    "sheet": _("sheet"),
    "header_row": _("row with the columns' names"),
    "decimal_mark": _("mark before decimals"),
    "day_order": _("order of day and month"),
    "currency": _("currency"),
}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A layout with the evidence for each part; ``asked`` are the parts that nobody has decided yet."""

    look: Look
    layout: Layout
    guesses: Mapping[str, Guess]
    asked: frozenset[str]


def suggest(
    file: BinaryIO, said: Mapping[str, str], store: Store, *, columns: Mapping[str, str] | None = None
) -> Suggestion:
    """The layout of ``file`` as it is detected; what somebody ``said`` goes first: parts of the form, ``platform``.

    ``columns`` are the columns by what they say, where somebody chose them. Raises NotATable.
    """
    look = look_at(file, said)
    recognised = recognise(look.headings)
    chosen = recognised.columns if columns is None else columns
    placed = {key: name for key, name in chosen.items() if key in FIELDS and name in look.headings}
    guesses = {**look.guesses, **_guess_values(file, look, placed, store)}
    values = {name: said.get(name) or guesses[name].value for name in ("decimal_mark", "day_order", "currency")}
    product = recognised.product
    platform = said.get("platform")
    layout = Layout(
        look.shape,
        placed,
        values["decimal_mark"] or ".",
        values["day_order"],
        values["currency"] if is_currency(values["currency"]) else store.currency,
        platform if platform is not None else product.platform if product else "",
        product.key if product else "",
    )
    asked = frozenset(name for name, guess in guesses.items() if not guess.certain and not said.get(name))
    return Suggestion(look, layout, guesses, asked)


def _guess_values(file: BinaryIO, look: Look, columns: Mapping[str, str], store: Store) -> dict[str, Guess]:
    """How the amounts and days of the chosen columns are written, and their currency."""
    texts = first_texts(file, look.shape, set(columns.values()))

    def of(keys: tuple[str, ...]) -> list[tuple[int, str]]:
        return sorted(text for key in keys if key in columns for text in texts[columns[key]])

    money = tuple(key for key in MONEY if key in columns)
    headings = [columns[key] for key in money]
    named = of(("currency",)) if "currency" in columns else of(money)
    own = Guess(store.currency, "")
    currency = guess_currency(headings, named, own=store.currency) if money else own
    if "currency" in columns:
        currency = Guess(store.currency, currency.why)
    return {
        "decimal_mark": guess_decimal_mark(of(AMOUNTS)),
        "day_order": guess_day_order(of(DAYS)),
        "currency": currency,
    }
