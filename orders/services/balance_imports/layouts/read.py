"""Rows of a file as rows of an import: each cell read as its column says, and what cannot be read named."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, BinaryIO, Final, TypeVar

from django.utils.translation import gettext as _

from loyalty.customers.identify import CustomerFacts
from loyalty.importing.currencies import currency_of
from loyalty.importing.days import NotADay, UnclearDay, parse_moment
from loyalty.importing.numbers import NotANumber, parse_number
from loyalty.importing.read import read_table
from loyalty.importing.tables import BadCell, Cell, NotATable, TableRow
from loyalty.ledger.ledger import Kind
from loyalty.stores.models import Store
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
_SHOWN: Final = 100
# Characters of Chinese and Japanese: in these names the family comes first, and nothing stands between.
_IDEOGRAPHS: Final = ("\u3040", "\u9fff")


def read_rows(file: BinaryIO, layout: Mapping[str, Any], store: Store) -> Iterator[Row]:
    """The rows of ``file``, as ``layout`` says; without one as its columns' names say, if nothing has to be asked.

    Raises NotReadable, also half-way.
    """
    try:
        chosen = Layout.from_json(layout) if layout.get("columns") else _suggested(file, store)
        table = read_table(file, chosen.shape)
        places = {key: table.headings.index(name) for key, name in chosen.columns.items() if name in table.headings}
        if not places.keys() & set(NAMING):
            raise NotReadable(_("No column says who somebody is: an e-mail address or a customer's number."))
        missing = sorted(set(chosen.columns.values()) - set(table.headings))
        if missing:
            raise NotReadable(_("The file has no column “%(name)s”.") % {"name": missing[0]})
        for row in table.rows:
            yield _Said(row, places, chosen, store).row()
    except NotATable as refused:
        raise NotReadable(refused.detail) from refused


def _suggested(file: BinaryIO, store: Store) -> Layout:
    suggestion = suggest(file, {}, store)
    if suggestion.asked:
        raise NotReadable(
            _("The file can be read in several ways: %(what)s. Choose how on the page of the import, or send a layout.")
            % {"what": ", ".join(str(FORMS[name]) for name in FORMS if name in suggestion.asked)}
        )
    return suggestion.layout


class _Said:
    """What one row says; collects what of it cannot be read."""

    def __init__(self, row: TableRow, places: Mapping[str, int], layout: Layout, store: Store) -> None:
        self._line, self._places, self._layout, self._store = row, places, layout, store
        self._problems: list[Problem] = []

    def row(self) -> Row:
        """The row."""
        if self._line.fault:
            said = ", ".join(str(cell) for cell in self._line.cells)[:_SHOWN]
            nobody = CustomerFacts(None, "", "")
            return Row(self._line.number, nobody, problems=(Problem(self._line.fault, "", said),))
        person = self._person()
        lots: tuple[Lot, ...] = ()
        past: tuple[PastMovement, ...] = ()
        codes: tuple[OpenCode, ...] = ()
        if self._text("code"):
            codes = (self._code(),)
        elif self._text("past_at") or self._text("past_type"):
            past = self._past()
        elif self._text("active").casefold() not in _NO:
            lots = tuple(self._lots())
        return Row(self._line.number, person, lots, past, codes, tuple(self._problems))

    def _cell(self, key: str) -> Cell:
        place = self._places.get(key)
        if place is None:
            return ""
        cell = self._line.cells[place]
        if isinstance(cell, BadCell):
            self._refuse(cell.fault, key, cell)
            return ""
        return cell

    def _text(self, key: str) -> str:
        # Most of what is asked for is in no column, and nearly all that is there is text.
        if key not in self._places:
            return ""
        cell = self._cell(key)
        if type(cell) is str:
            return cell
        return f"{cell:f}" if isinstance(cell, Decimal) else str(cell)

    def _refuse(self, code: str, key: str, said: object) -> None:
        problem = Problem(code, self._layout.columns.get(key, key), str(said)[:_SHOWN])
        if problem not in self._problems:
            self._problems.append(problem)

    def _read(self, key: str, reads: Callable[[str], T], code: str) -> T | None:
        """The cell as ``reads`` understands it; None for one that is empty or not understood."""
        text = self._text(key)
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
        number = self._text("external_id")
        platform = self._text("platform") or self._layout.platform
        return CustomerFacts(
            number or None,
            self._text("email"),
            self._text("name") or _full_name(self._text("first_name"), self._text("last_name")),
            self._text("phone"),
            self._text("locale"),
            platform if number else "",
        )

    def _lots(self) -> Iterator[Lot]:
        for kind, key, until in (
            ("points", "points", "points_expires_on"),
            ("credits", "credits", "credits_expires_on"),
            (self._kind(), "amount", ""),
        ):
            amount = self._amount(key)
            if amount is None or kind is None:
                continue
            yield Lot(
                kind,
                amount,
                self._currency(key) if kind == "credits" else "",
                self._day("granted_on"),
                self._day(until if until in self._places else "expires_on"),
                self._text("origin"),
                self._text("reason"),
                self._text("reference"),
            )

    def _past(self) -> tuple[PastMovement, ...]:
        type_ = self._read("past_type", lambda text: _PAST_TYPES[text.casefold()], "no-type")
        at = self._read("past_at", self._instant, "no-day")
        for key in ("past_at", "past_type"):
            if not self._text(key):
                self._refuse("empty", key, "")
        found = []
        for kind, key in (("points", "points"), ("credits", "credits"), (self._kind(), "amount")):
            amount = self._amount(key)
            if amount is not None and kind is not None and type_ is not None and at is not None:
                currency = self._currency(key) if kind == "credits" else ""
                found.append(
                    PastMovement(kind, type_, amount, at, currency, self._text("reason"), self._text("reference"))
                )
        return tuple(found)

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
        if "amount" not in self._places or not self._text("amount"):
            return None
        if not self._text("kind"):
            self._refuse("empty", "kind", "")
            return None
        return self._read("kind", lambda text: _KINDS[text.casefold()], "no-kind")

    def _amount(self, key: str) -> Decimal | None:
        cell = self._cell(key)
        if isinstance(cell, Decimal):
            return cell
        mark = self._layout.decimal_mark
        percent = key == "value"
        return self._read(
            key, lambda text: parse_number(text.removesuffix("%") if percent else text, mark), "no-number"
        )

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
        cell = self._cell(key)
        if isinstance(cell, datetime):
            return cell.date()
        text = self._text(key)
        return None if text.casefold() in _NEVER else self._read(key, self._local_day, "no-day")

    def _local_day(self, text: str) -> date:
        moment = parse_moment(text, self._layout.day_order)
        if not isinstance(moment, datetime):
            return moment
        return (moment.astimezone(self._store.tz) if moment.tzinfo else moment).date()

    def _instant(self, text: str) -> datetime:
        cell = self._cell("past_at")
        moment = cell if isinstance(cell, datetime) else parse_moment(text, self._layout.day_order)
        if not isinstance(moment, datetime):
            moment = datetime.combine(moment, time.min)
        return moment if moment.tzinfo else moment.replace(tzinfo=self._store.tz)


def _full_name(first: str, last: str) -> str:
    if first and last and all(_IDEOGRAPHS[0] <= letter <= _IDEOGRAPHS[1] for letter in first + last):
        return last + first
    return f"{first} {last}".strip()
