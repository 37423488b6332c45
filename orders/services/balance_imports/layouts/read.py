"""Rows of a file as rows of an import: each cell read as its column says, and what cannot be read named."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache, partial
from operator import itemgetter
from typing import Any, BinaryIO, Final, TypeVar, cast
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from loyalty.core.phrases import enumerated
from loyalty.customers.identify import CustomerFacts
from loyalty.importing.currencies import currency_of
from loyalty.importing.days import NotADay, UnclearDay, parse_moment
from loyalty.importing.numbers import NotANumber, parse_number
from loyalty.importing.read import read_table
from loyalty.importing.tables import BadCell, Cell, NotATable, TableRow
from loyalty.ledger.ledger import Kind
from loyalty.stores.models import Store
from orders.services.balance_imports.layouts.fields import FIELDS
from orders.services.balance_imports.layouts.layout import NAMING, Layout
from orders.services.balance_imports.layouts.suggest import FORMS, suggest
from orders.services.balance_imports.rows import Lot, NotReadable, OpenCode, PastMovement, PastType, Problem, Row

T = TypeVar("T")
_NEVER: Final = frozenset(
    {"never", "never expires", "no expiry", "none", "null", "n/a", "na", "-", "–", "—", "0000-00-00"}
    | {"永久", "永久有效", "無期限", "无期限", "不過期", "nie", "unbegrenzt"}
)
_NO: Final = frozenset({"no", "n", "false", "0", "disabled", "否", "nein"})
_KINDS: Final[Mapping[str, Kind]] = {
    **dict.fromkeys(("points", "point", "點數", "會員點數", "ポイント"), "points"),
    **dict.fromkeys(("credits", "credit", "store credit", "store credits", "購物金", "ストアクレジット"), "credits"),
}
_PAST_TYPES: Final[Mapping[str, PastType]] = {
    **dict.fromkeys(
        ("granted", "grant", "earned", "earn", "given", "issued", "獲得", "發放", "付与"), PastType.GRANTED
    ),
    **dict.fromkeys(("spent", "spend", "used", "redeemed", "redeem", "使用", "利用"), PastType.SPENT),
    **dict.fromkeys(("expired", "expire", "過期", "失効"), PastType.EXPIRED),
    **dict.fromkeys(("adjusted", "adjust", "adjustment", "manual", "調整"), PastType.ADJUSTED),
}
# What of it somebody has: the kind, None where a column says it; the amount's column; the column of its last day.
_BALANCES: Final[tuple[tuple[Kind | None, str, str], ...]] = (
    ("points", "points", "points_expires_on"),
    ("credits", "credits", "credits_expires_on"),
    (None, "amount", ""),
)
_PERSON: Final = ("external_id", "email", "name", "first_name", "last_name", "phone", "locale", "platform")
_NAMES_OF_THINGS: Final = ("external_id", "reference", "code", "phone")
_OTHER_THINGS: Final = frozenset({"code", "past_at", "past_type", "active"})
_CUT: Final = re.compile(r"[0-9][.,]?[0-9]*E\+[0-9]{1,3}")
# Digits that a spreadsheet counts with: of a longer number it has the first, and noughts.
_COUNTED: Final = 15
# What stands in place of a customer's number where people, or their old system, added up the rows above.
_SUMS: Final = frozenset((
    "total", "totals", "grand total", "subtotal", "sub-total", "sum", "summe", "gesamt", "gesamtsumme", "zwischensumme",
    "total general", "total général", "somme", "totale", "totaal", "合計", "合计", "總計", "总计", "総計",
    "小計", "小计",
))  # fmt: skip
_ALL_TEXT: Final = {str}
_SHOWN: Final = 100
# Characters of Chinese and Japanese: in these names the family comes first, and nothing stands between.
_IDEOGRAPHS: Final = ("\u3040", "\u9fff")


def read_rows(file: BinaryIO, layout: Mapping[str, Any], store: Store) -> Iterator[Row]:
    """The rows of ``file``, as ``layout`` says; without one as its columns' names say, if nothing has to be asked.

    Raises NotReadable, also half-way.
    """
    try:
        chosen = Layout.from_json(layout) if layout.get("columns") else layout_by_names(file, store)
        table = read_table(file, chosen.shape)
        places = {key: table.headings.index(name) for key, name in chosen.columns.items() if name in table.headings}
        if not places.keys() & set(NAMING):
            raise NotReadable(_("No column says who somebody is: an e-mail address or a customer's number."))
        missing = sorted(set(chosen.columns.values()) - set(table.headings))
        if missing:
            raise NotReadable(_("The file has no column “%(name)s”.") % {"name": missing[0]})
        yield from map(_Reading(places, chosen, store).row, table.rows)
    except NotATable as refused:
        raise NotReadable(refused.detail) from refused


def layout_by_names(file: BinaryIO, store: Store) -> Layout:
    """The layout of a file as its columns' names say it. Raises NotReadable where something has to be asked."""
    try:
        suggestion = suggest(file, {}, store)
    except NotATable as refused:
        raise NotReadable(refused.detail) from refused
    if suggestion.asked:
        raise NotReadable(
            _("The file can be read in several ways: %(what)s. Choose how on the page of the import, or send a layout.")
            % {"what": enumerated(str(FORMS[name]) for name in FORMS if name in suggestion.asked)}
        )
    return suggestion.layout


class _Reading:
    """Reads the rows of one file; what is the same for all of them is found out once. There are a million of them."""

    def __init__(self, places: Mapping[str, int], layout: Layout, store: Store) -> None:
        self._layout, self._tz = layout, store.tz
        # A column that the file does not have is the empty cell behind each row.
        self._at = {key: places.get(key, -1) for key in FIELDS}
        self._chosen = {place: key for key, place in places.items()}
        self._names = [(places[key], key) for key in _NAMES_OF_THINGS if key in places]
        # Files that bring balances alone are most of them.
        self._is_plain = not places.keys() & _OTHER_THINGS
        self._balances = [
            (kind, key, until if until in places else "expires_on") for kind, key, until in _BALANCES if key in places
        ]
        # Days and amounts come over and over.
        self._day_of = lru_cache(maxsize=16384)(partial(_local_day, order=layout.day_order, tz=self._tz))
        self._number_of = lru_cache(maxsize=8192)(partial(parse_number, decimal_mark=layout.decimal_mark))
        self._named = itemgetter(*(self._at[key] for key in _PERSON))
        self._before: tuple[Any, CustomerFacts] = ((), CustomerFacts(None, "", ""))
        self._cells: Sequence[Cell] = ()
        self._texts: Sequence[str] = ()
        self._problems: list[Problem] = []

    def row(self, line: TableRow) -> Row:
        """The row, with what of it cannot be read."""
        if line.fault:
            said = ", ".join(str(cell) for cell in line.cells)[:_SHOWN]
            return Row(line.number, CustomerFacts(None, "", ""), problems=(Problem(line.fault, "", said),))
        self._problems = []
        self._take(line)
        for place, key in self._names:
            if "E+" in self._texts[place] or isinstance(self._cells[place], Decimal):
                self._check(key)
        person = self._person()
        if (
            person.external_id
            and not person.email
            and person.external_id.rstrip(" :\N{FULLWIDTH COLON}").casefold() in _SUMS
        ):
            self._refuse("sum", "external_id", person.external_id)
        if self._is_plain:
            return Row(line.number, person, tuple(self._lots()), problems=tuple(self._problems))
        lots: tuple[Lot, ...] = ()
        past: tuple[PastMovement, ...] = ()
        codes: tuple[OpenCode, ...] = ()
        if self._text("code"):
            codes = (self._code(),)
        elif self._text("past_at") or self._text("past_type"):
            past = tuple(self._past())
        elif self._text("active").casefold() not in _NO:
            lots = tuple(self._lots())
        return Row(line.number, person, lots, past, codes, tuple(self._problems))

    def _take(self, line: TableRow) -> None:
        cells = (*line.cells, "")
        if set(map(type, cells)) == _ALL_TEXT:
            self._cells, self._texts = cells, cast("Sequence[str]", cells)
            return
        for place, key in self._chosen.items():
            if isinstance(cell := cells[place], BadCell):
                self._refuse(cell.fault, key, cell)
        self._cells = ["" if isinstance(cell, BadCell) else cell for cell in cells]
        self._texts = [f"{cell:f}" if isinstance(cell, Decimal) else str(cell) for cell in self._cells]

    def _text(self, key: str) -> str:
        return self._texts[self._at[key]]

    def _check(self, key: str) -> None:
        """Refuse a name that a spreadsheet took for a number and cut: many names become one by that."""
        cell, text = self._cells[self._at[key]], self._text(key)
        if _CUT.fullmatch(text) or (isinstance(cell, Decimal) and cell.adjusted() >= _COUNTED):
            self._refuse("cut", key, text)

    def _refuse(self, code: str, key: str, said: object) -> None:
        problem = Problem(code, self._layout.columns.get(key, key), str(said)[:_SHOWN])
        if problem not in self._problems:
            self._problems.append(problem)

    def _read(self, key: str, code: str, reads: Callable[[str], T]) -> T | None:
        """The cell as ``reads`` understands it; None for one that is empty or not understood."""
        text = self._texts[self._at[key]]
        if not text:
            return None
        try:
            return reads(text)
        except UnclearDay:
            self._refuse("unclear", key, text)
        except (NotANumber, NotADay, KeyError):
            self._refuse(code, key, text)
        return None

    def _person(self) -> CustomerFacts:
        said = self._named(self._texts)
        # Rows of one person often stand together.
        if said != self._before[0]:
            number, email, name, first, last, phone, locale, platform = said
            whose = (platform or self._layout.platform) if number else ""
            facts = CustomerFacts(number or None, email, name or _full_name(first, last), phone, locale, whose)
            self._before = (said, facts)
        return self._before[1]

    def _lots(self) -> Iterator[Lot]:
        for kind, key, until in self._balances:
            amount = self._amount(key)
            of = kind or self._kind()
            if amount is not None and of is not None:
                yield Lot(
                    of,
                    amount,
                    self._currency(key) if of == "credits" else "",
                    self._day("granted_on"),
                    self._day(until),
                    self._text("origin"),
                    self._text("reason"),
                    self._text("reference"),
                )

    def _past(self) -> Iterator[PastMovement]:
        type_ = self._read("past_type", "no-type", _past_type)
        at = self._read("past_at", "no-day", self._instant)
        for key in ("past_at", "past_type"):
            if not self._text(key):
                self._refuse("empty", key, "")
        for kind, key, _until in self._balances:
            amount = self._amount(key)
            of = kind or self._kind()
            if amount is not None and of is not None and type_ is not None and at is not None:
                currency = self._currency(key) if of == "credits" else ""
                yield PastMovement(of, type_, amount, at, currency, self._text("reason"), self._text("reference"))

    def _code(self) -> OpenCode:
        points, value = self._amount("points"), self._amount("value")
        for key, amount in (("points", points), ("value", value)):
            if amount is None and not self._text(key):
                self._refuse("empty", key, "")
        return OpenCode(
            self._text("code"),
            points or Decimal(0),
            value or Decimal(0),
            "" if self._text("value").endswith("%") else self._currency("value"),
            self._day("redeemed_on"),
            self._day("expires_on"),
        )

    def _kind(self) -> Kind | None:
        if not self._text("amount"):
            return None
        if not self._text("kind"):
            self._refuse("empty", "kind", "")
            return None
        return self._read("kind", "no-kind", _kind)

    def _amount(self, key: str) -> Decimal | None:
        cell = self._cells[self._at[key]]
        if isinstance(cell, Decimal):
            return cell
        return self._read(key, "no-number", self._share_of if key == "value" else self._number_of)

    def _share_of(self, text: str) -> Decimal:
        return self._number_of(text.removesuffix("%"))

    def _currency(self, key: str) -> str:
        """The currency that the row names: in its column, by a sign beside the amount, else the file's."""
        named = self._text("currency").upper()
        if named:
            return named
        beside = currency_of(self._text(key))
        if len(beside) == 1 and beside[0] != self._layout.currency:
            return beside[0]
        return self._layout.currency

    def _day(self, key: str) -> date | None:
        cell = self._cells[self._at[key]]
        if isinstance(cell, datetime):
            return cell.date()
        return self._read(key, "no-day", self._day_of)

    def _instant(self, text: str) -> datetime:
        cell = self._cells[self._at["past_at"]]
        moment = cell if isinstance(cell, datetime) else parse_moment(text, self._layout.day_order)
        if not isinstance(moment, datetime):
            moment = datetime.combine(moment, time.min)
        return moment if moment.tzinfo else moment.replace(tzinfo=self._tz)


def _kind(text: str) -> Kind:
    return _KINDS[text.casefold()]


def _past_type(text: str) -> PastType:
    return _PAST_TYPES[text.casefold()]


def _local_day(text: str, order: str, tz: ZoneInfo) -> date | None:
    if text.casefold() in _NEVER:
        return None
    moment = parse_moment(text, order)
    if not isinstance(moment, datetime):
        return moment
    return (moment.astimezone(tz) if moment.tzinfo else moment).date()


def _full_name(first: str, last: str) -> str:
    if first and last and all(_IDEOGRAPHS[0] <= letter <= _IDEOGRAPHS[1] for letter in first + last):
        return last + first
    return f"{first} {last}".strip()
