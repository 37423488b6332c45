"""Reading a platform's JSON: one strict door for the text, and typed access to the fields.

Numbers with a fraction become Decimals, never floats. Null, an absent field and PHP's empty array for an empty object
are all "not there"; any other wrong type is a :class:`NotAnOrder` that names the field by its dotted path.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import NoReturn

from loyalty.money import is_currency, quantise, unit_of
from loyalty.platforms.snapshot import NotAnOrder

MAX_ID_LENGTH = 100
MAX_TEXT_LENGTH = 255
MAX_EMAIL_LENGTH = 254
# Case folding may make three characters of one, and the folded tag is stored too.
MAX_TAG_LENGTH = MAX_TEXT_LENGTH // 3
_MAX_WHOLE = 2**31 - 1
_TOO_LARGE = Decimal(10) ** 12

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
        raise NotAnOrder(f"This is not valid JSON (line {error.lineno}, column {error.colno}).") from None
    except (ValueError, ArithmeticError, RecursionError):
        raise NotAnOrder("This is not valid JSON: a number is too long or the nesting too deep.") from None
    return value


def _refuse_constant(_name: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse_constant)


@dataclass(frozen=True, slots=True)
class Fields:
    """One JSON object, and the dotted path at which it stands in the whole document."""

    values: Mapping[str, object]
    path: str = ""

    def path_of(self, key: str) -> str:
        """The dotted path of one field of this object."""
        return f"{self.path}.{key}" if self.path else key

    def missing(self, key: str) -> NotAnOrder:
        """The error for a field that has to be there."""
        path = self.path_of(key)
        return NotAnOrder(f"The field “{path}” is missing.", field=path)

    def has(self, key: str) -> bool:
        """Whether the field is there, and neither null nor empty text."""
        return self.values.get(key) not in (None, "")

    def text(self, *keys: str, limit: int = MAX_TEXT_LENGTH) -> str:
        """The first of these fields that holds any text, trimmed and cut to ``limit`` characters; "" when none does."""
        for key in keys:
            if text := read_text(self.values.get(key), self.path_of(key)):
                return text[:limit]
        return ""

    def email(self, *keys: str) -> str:
        """The first of these fields that holds an e-mail address; "" when none does: a placeholder is none."""
        texts = (read_text(self.values.get(key), self.path_of(key)) for key in keys)
        return next((text for text in texts if "@" in text and len(text) <= MAX_EMAIL_LENGTH), "")

    def identifier(self, key: str) -> str:
        """A platform's id as text, "" when not there. Over 100 characters is an error: a cut id is another id."""
        text = read_text(self.values.get(key), self.path_of(key))
        if len(text) > MAX_ID_LENGTH:
            raise NotAnOrder(f"The id in “{self.path_of(key)}” is too long.", field=self.path_of(key))
        return text

    def flag(self, key: str) -> bool:
        """True for ``true``, also when written as text."""
        value = self.values.get(key)
        return value is True or (isinstance(value, str) and value.strip().lower() == "true")

    def currency(self, key: str) -> str:
        """An ISO 4217 code in capitals, "" when not there."""
        code = self.text(key).upper()
        if code and not is_currency(code):
            raise NotAnOrder(f"“{code}” is not a currency code.", field=self.path_of(key))
        return code

    def amount(self, key: str, currency: str) -> Decimal | None:
        """An amount in ``currency``, None when not there; finer than the currency's unit is an error."""
        value = self.values.get(key)
        return None if value in (None, "") else exact_amount(value, self.path_of(key), currency)

    def rounded_amount(self, key: str, currency: str) -> Decimal:
        """An amount that is only shown, rounded half up to the currency's unit; 0 when not there."""
        value = self.values.get(key)
        amount = Decimal(0) if value in (None, "") else read_amount(value, self.path_of(key))
        return round_amount(amount, currency)

    def whole(self, key: str) -> int:
        """A whole number of at least 0; 0 when not there."""
        number = self.quantity(key)
        if number != int(number):
            raise NotAnOrder(f"“{self.path_of(key)}” is not a whole number.", field=self.path_of(key))
        return int(number)

    def quantity(self, key: str) -> Decimal:
        """A number of at least 0, which some shops allow to be a fraction; 0 when not there."""
        value = self.values.get(key)
        number = Decimal(0) if value in (None, "") else read_amount(value, self.path_of(key))
        if not 0 <= number <= _MAX_WHOLE:
            raise NotAnOrder(f"“{self.path_of(key)}” is not a possible number.", field=self.path_of(key))
        return number

    def instant(self, key: str, *, without_offset_is_utc: bool = False) -> datetime | None:
        """An instant in UTC, None when not there; cut to microseconds."""
        text = self.text(key)
        return read_instant(text, self.path_of(key), without_offset_is_utc=without_offset_is_utc) if text else None

    def child(self, key: str) -> "Fields":
        """The object in this field; one without fields when not there."""
        value = self.values.get(key)
        if value is None or value == []:
            return Fields({}, self.path_of(key))
        if not isinstance(value, Mapping):
            raise NotAnOrder(f"The field “{self.path_of(key)}” should be an object.", field=self.path_of(key))
        return Fields(value, self.path_of(key))

    def children(self, key: str) -> Iterator["Fields"]:
        """The objects of the list in this field; none when not there."""
        for index, value in enumerate(self.items(key)):
            path = f"{self.path_of(key)}.{index}"
            if not isinstance(value, Mapping):
                raise NotAnOrder(f"The field “{path}” should be an object.", field=path)
            yield Fields(value, path)

    def items(self, key: str) -> list[object]:
        """The list in this field; an empty one when not there."""
        value = self.values.get(key)
        if value is None or value == {}:
            return []
        if not isinstance(value, list):
            raise NotAnOrder(f"The field “{self.path_of(key)}” should be a list.", field=self.path_of(key))
        return value

    def tags(self, key: str) -> tuple[str, ...]:
        """Tags from a comma-separated text or a list, trimmed, without empty ones and repeats (case ignored)."""
        value = self.values.get(key)
        parts = list[object](value.split(",")) if isinstance(value, str) else self.items(key)
        unique: dict[str, str] = {}
        for index, part in enumerate(parts):
            if text := read_text(part, f"{self.path_of(key)}.{index}")[:MAX_TAG_LENGTH]:
                unique.setdefault(text.casefold(), text)
        return tuple(unique.values())


def read_text(value: object, path: str) -> str:
    """Text or a whole number as trimmed text that PostgreSQL can store; "" for null."""
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**MAX_ID_LENGTH:
        return str(value)
    if not isinstance(value, str):
        raise NotAnOrder(f"The field “{path}” should be text.", field=path)
    # PostgreSQL stores neither NUL nor half of a surrogate pair, and JSON can carry both.
    return value.replace("\x00", "").encode("utf-8", "replace").decode("utf-8").strip()


def read_amount(value: object, path: str) -> Decimal:
    """A decimal number of at most 12 digits before the point, from text or a JSON number."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal | float):
        raise NotAnOrder(f"The field “{path}” should be an amount.", field=path)
    if isinstance(value, str):
        amount = Decimal(value.strip()) if _AMOUNT.fullmatch(value.strip()) else None
    else:
        # A float only comes from a caller that parsed the JSON without parse_json; its shortest text is what was sent.
        amount = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if amount is None or not amount.is_finite() or abs(amount) >= _TOO_LARGE:
        raise NotAnOrder(f"The field “{path}” is not an amount: “{str(value)[:40]}”.", field=path)
    return amount


def exact_amount(value: object, path: str, currency: str) -> Decimal:
    """An amount with exactly the currency's decimals; as it stands when the platform did not say which currency."""
    amount = read_amount(value, path)
    if not currency:
        return amount
    try:
        return quantise(amount, currency)
    except ValueError as error:
        raise NotAnOrder(f"The field “{path}” is not a possible amount: {error}", field=path) from None


def round_amount(amount: Decimal, currency: str) -> Decimal:
    """Rounded half up to the currency's unit; as it stands without a currency."""
    return amount.quantize(unit_of(currency), ROUND_HALF_UP) if currency else amount


def read_instant(text: str, path: str, *, without_offset_is_utc: bool) -> datetime:
    """An RFC 3339 instant in UTC, its fraction cut to microseconds (Shopify sends nanoseconds)."""
    match = _INSTANT.fullmatch(text)
    offset = match["offset"] or ("Z" if without_offset_is_utc else "") if match else ""
    if match is None or not offset:
        raise NotAnOrder(f"The field “{path}” is not a date with time and offset: “{text[:40]}”.", field=path)
    fraction = (match["fraction"] or "0")[:6].ljust(6, "0")
    try:
        return datetime.fromisoformat(f"{match['date']}T{match['time']}.{fraction}{offset.upper()}").astimezone(UTC)
    except (ValueError, OverflowError):
        raise NotAnOrder(f"The field “{path}” is not a possible date: “{text[:40]}”.", field=path) from None
