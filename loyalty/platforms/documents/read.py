"""Reading a platform's JSON: one strict door for the text, and forgiving access to the fields (O10).

Numbers with a fraction become Decimals, never floats. Null, an absent field and PHP's empty array for an empty object
are all "not there". Whatever has a shape that nobody expected is not there either, and its dotted path is noted in
:attr:`Fields.left_out`: the rest of the document counts. Amounts are rounded half up to their currency's unit (O8).
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, NoReturn

from django.utils.translation import gettext as _

from loyalty.core.json_keys import NamedTwice, named_once
from loyalty.core.money import is_currency, unit_of
from loyalty.core.tags import tag_key
from loyalty.platforms.snapshot import NotAnOrder

MAX_ID_LENGTH: Final = 100
MAX_TEXT_LENGTH: Final = 255
MAX_EMAIL_LENGTH: Final = 254
MAX_TAG_LENGTH: Final = 85
MAX_PATH_LENGTH: Final = 100
_MAX_WHOLE: Final = 2**31 - 1
_TOO_LARGE: Final = Decimal(10) ** 12
# Where plugins that write tags as objects put the tag itself, the most telling first.
_TAG_NAMES: Final = ("name", "tag", "label", "title", "value", "slug")
_DEEPEST_TAG: Final = 4

_AMOUNT = re.compile(r"[+-]?\d{1,40}(\.\d{0,40})?", re.ASCII)
_INSTANT = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[T ](?P<time>\d\d:\d\d:\d\d)(?:[.,](?P<fraction>\d+))?(?P<offset>Z|[+-]\d\d:?\d\d)?",
    re.ASCII | re.IGNORECASE,
)


def parse_json(text: str) -> object:
    """The JSON value in ``text``, fractions as Decimal. Raises NotAnOrder with line and column when it is no JSON."""
    try:
        value: object = DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise NotAnOrder(
            _("This is not valid JSON (line %(lineno)s, column %(colno)s).")
            % {"lineno": error.lineno, "colno": error.colno}
        ) from None
    except NamedTwice as error:
        raise NotAnOrder(str(error)) from None
    except (ValueError, ArithmeticError, RecursionError):
        raise NotAnOrder(_("This is not valid JSON: a number is too long or the nesting too deep.")) from None
    return value


def _refuse_constant(_name: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse_constant, object_pairs_hook=named_once)


@dataclass(frozen=True, slots=True)
class Fields:
    """One JSON object, and the dotted path at which it stands in the whole document.

    ``left_out`` has the paths of what could not be read, in the order in which it was met; the objects of one document
    share it.
    """

    values: Mapping[str, object]
    path: str = ""
    left_out: dict[str, None] = field(default_factory=dict)

    def path_of(self, key: str) -> str:
        """The dotted path of one field of this object."""
        return f"{self.path}.{key}" if self.path else key

    def leave_out(self, key: str) -> None:
        """Note that this field says nothing that can be read."""
        self.left_out[clean(self.path_of(key))[:MAX_PATH_LENGTH]] = None

    def missing(self, key: str) -> NotAnOrder:
        """The error for a field that has to be there, and is not, or cannot be read."""
        path = self.path_of(key)
        return NotAnOrder(
            (_("The field “%(field)s” cannot be read.") if self.has(key) else _("The field “%(field)s” is missing."))
            % {"field": path},
            field=path,
        )

    def has(self, key: str) -> bool:
        """Whether the field is there, and neither null nor empty text."""
        return self.values.get(key) not in (None, "")

    def text(self, *keys: str, limit: int = MAX_TEXT_LENGTH) -> str:
        """The first of these fields that holds any text, trimmed and cut to ``limit`` characters; "" when none does."""
        return next((text for key in keys if (text := self._text(key))), "")[:limit]

    def texts(self, key: str) -> list[str]:
        """The texts in the list in this field, as they are written."""
        return [value for value in self.items(key) if isinstance(value, str)]

    def email(self, *keys: str) -> str:
        """The first of these fields that holds an e-mail address; "" when none does: a placeholder is none."""
        texts = (self._text(key) for key in keys)
        return next((text for text in texts if "@" in text and len(text) <= MAX_EMAIL_LENGTH), "")

    def identifier(self, key: str) -> str:
        """A platform's id as text, "" when not there. Over 100 characters cannot be read: a cut id is another id."""
        text = self._text(key)
        if len(text) <= MAX_ID_LENGTH:
            return text
        self.leave_out(key)
        return ""

    def identifiers(self, key: str) -> tuple[str, ...]:
        """The ids in the list in this field."""
        entries = ((Fields({str(index): value}, self.path_of(key), self.left_out), str(index))
                   for index, value in enumerate(self.items(key)))  # fmt: skip
        return tuple(found for entry, index in entries if (found := entry.identifier(index)))

    def flag(self, key: str) -> bool:
        """True for ``true``, also when written as text."""
        value = self.values.get(key)
        if not isinstance(value, bool | int | str | None):
            self.leave_out(key)
        return value is True or (isinstance(value, str) and value.strip().lower() == "true")

    def currency(self, key: str) -> str:
        """An ISO 4217 code in capitals, "" when not there."""
        code = self._text(key).upper()
        if code and not is_currency(code):
            self.leave_out(key)
            return ""
        return code

    def amount(self, key: str, currency: str) -> Decimal | None:
        """An amount, rounded half up to the unit of ``currency`` (as it stands without one); None when not there."""
        if not self.has(key):
            return None
        amount = as_amount(self.values[key])
        if amount is None:
            self.leave_out(key)
            return None
        return round_amount(amount, currency)

    def quantity(self, key: str) -> Decimal:
        """A number of at least 0, which some shops allow to be a fraction; 0 when not there."""
        number = self.amount(key, "")
        if number is not None and not 0 <= number <= _MAX_WHOLE:
            self.leave_out(key)
            return Decimal(0)
        return number or Decimal(0)

    def whole(self, key: str) -> int:
        """A whole number of at least 0; 0 when not there."""
        number = self.quantity(key)
        if number != int(number):
            self.leave_out(key)
            return 0
        return int(number)

    def instant(self, key: str, *, without_offset_is_utc: bool = False) -> datetime | None:
        """An instant in UTC, None when not there; cut to microseconds (Shopify sends nanoseconds)."""
        text = self._text(key)
        instant = as_instant(text, without_offset_is_utc=without_offset_is_utc)
        if text and instant is None:
            self.leave_out(key)
        return instant

    def child(self, key: str) -> "Fields":
        """The object in this field; one without fields when not there."""
        value = self.values.get(key)
        if not isinstance(value, Mapping):
            if value is not None and value != []:
                self.leave_out(key)
            value = {}
        return Fields(value, self.path_of(key), self.left_out)

    def children(self, key: str) -> Iterator["Fields"]:
        """The objects of the list in this field; none when not there."""
        listed = Fields({}, self.path_of(key), self.left_out)
        for index, value in enumerate(self.items(key)):
            if isinstance(value, Mapping):
                yield Fields(value, listed.path_of(str(index)), self.left_out)
            else:
                listed.leave_out(str(index))

    def items(self, key: str) -> list[object]:
        """The list in this field; an empty one when not there."""
        value = self.values.get(key)
        if isinstance(value, list):
            return value
        if value is not None and value != {}:
            self.leave_out(key)
        return []

    def tags(self, key: str) -> tuple[str, ...]:
        """Tags, trimmed, without empty ones and repeats (N7), in whatever shape plugins have thought of.

        That is: text with commas; a list; an object of tags, as PHP writes a list with gaps; any of these as JSON text.
        A tag itself is text, a whole number, or an object with a name.
        """
        value = self.values.get(key)
        if isinstance(value, str):
            value = json_inside(value)
        found = clean(value).split(",") if isinstance(value, str) else self._tags(key, value)
        unique: dict[str, str] = {}
        for text in found:
            if name := tag_key(text):
                unique.setdefault(name, text.strip()[:MAX_TAG_LENGTH])
        return tuple(unique.values())

    def _tags(self, key: str, value: object, depth: int = 0) -> Iterator[str]:
        if depth > _DEEPEST_TAG:
            self.leave_out(key)
        elif (name := _tag_name(value)) is not None:
            yield name
        elif isinstance(value, list) or (isinstance(value, Mapping) and not depth):
            inside = Fields({}, self.path_of(key), self.left_out)
            entries = value.items() if isinstance(value, Mapping) else enumerate(value)
            for place, entry in entries:
                yield from inside._tags(str(place), entry, depth + 1)
        elif value is not None:
            self.leave_out(key)

    def _text(self, key: str) -> str:
        text = as_text(self.values.get(key))
        if text is None:
            self.leave_out(key)
        return text or ""


def clean(text: str) -> str:
    """The text as PostgreSQL stores it: it takes neither NUL nor half of a surrogate pair, and JSON can carry both."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def as_text(value: object) -> str | None:
    """Text or a whole number as trimmed text that can be stored, "" for null; None for anything else."""
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**MAX_ID_LENGTH:
        return str(value)
    return clean(value).strip() if isinstance(value, str) else None


def as_amount(value: object) -> Decimal | None:
    """A decimal number of at most 12 digits before the point, from text or a JSON number; None for anything else."""
    amount: Decimal | None = None
    if isinstance(value, str):
        amount = Decimal(value.strip()) if _AMOUNT.fullmatch(value.strip()) else None
    elif isinstance(value, int | Decimal | float) and not isinstance(value, bool):
        # A float only comes from a caller that parsed the JSON without parse_json; its shortest text is what was sent.
        amount = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    return amount if amount is not None and amount.is_finite() and abs(amount) < _TOO_LARGE else None


def round_amount(amount: Decimal, currency: str) -> Decimal:
    """Rounded half up to the currency's unit (O8); as it stands without a currency."""
    return amount.quantize(unit_of(currency), ROUND_HALF_UP) if currency else amount


def as_instant(text: str, *, without_offset_is_utc: bool) -> datetime | None:
    """An RFC 3339 instant in UTC, its fraction cut to microseconds; None when it is none."""
    match = _INSTANT.fullmatch(text)
    offset = match["offset"] or ("Z" if without_offset_is_utc else "") if match else ""
    if match is None or not offset:
        return None
    fraction = (match["fraction"] or "0")[:6].ljust(6, "0")
    try:
        return datetime.fromisoformat(f"{match['date']}T{match['time']}.{fraction}{offset.upper()}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def json_inside(text: str) -> object:
    """What a text holds that is a JSON list or object written as text, as some apps store things; else the text."""
    if not text.lstrip().startswith(("[", "{")):
        return text
    try:
        return parse_json(text)
    except NotAnOrder:
        return text


def _tag_name(value: object) -> str | None:
    """The text of a single tag; None when this is none."""
    if isinstance(value, Mapping):
        names = (_tag_name(value.get(name)) for name in _TAG_NAMES if not isinstance(value.get(name), list | Mapping))
        return next((name for name in names if name), None)
    return None if value is None else as_text(value)
