"""How values look in JSON, out and in: amounts, points, ids, instants, days (the *Values* bullet of the contract).

A field's ``write`` makes JSON of a value; without one the value is JSON already. Amounts are written in a currency.
"""

import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar, Final

from django.core.validators import MaxLengthValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from loyalty.core.instants import OutOfRange, check_instant
from loyalty.core.money import currencies, is_currency
from loyalty.core.values import (
    MAX_DIGITS,
    digits,
    instant_text,
    parse_id,
    parse_instant,
)

# Zeros in front and behind change nothing; between them stand 12 digits at most, three or fewer after the point.
_AMOUNT_TEXT: Final = "({})".format(
    "|".join(
        rf"0{{0,28}}[0-9]{{1,{MAX_DIGITS - fine}}}" + (rf"\.[0-9]{{{fine}}}0{{0,37}}" if fine else r"(\.0{1,40})?")
        for fine in range(4)
    )
)
_AMOUNT = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?", re.ASCII)
_LETTER: Final = r"A-Za-z\u00a1-\uffff"
_BASE64: Final = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
_ADDRESS: Final = rf"^[^@]+@.+\.([{_LETTER}][{_LETTER}-]{{0,61}}[{_LETTER}]|xn--[A-Za-z0-9]{{1,59}})$"
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


class Described:
    """A field that says itself what it takes, in JSON Schema."""

    def described(self) -> dict[str, Any]:
        """The schema of what it takes; :mod:`loyalty.api.openapi.describe` puts it where it belongs."""
        raise NotImplementedError


@extend_schema_field({"type": "string", "examples": ["4711"]})
class IdField(serializers.Field[int, Any, str, Any]):
    """An opaque id in a body; an id that cannot be one of ours is 0, which no row has (422 ``not-found`` later)."""

    default_error_messages = {"invalid": gettext_lazy("An id is a text such as “4711”.")}
    write = str

    def to_internal_value(self, data: Any) -> int:
        """The key behind the id."""
        if not isinstance(data, str):
            self.fail("invalid")
        return parse_id(data) or 0


class AmountField(Described, serializers.Field[Decimal, Any, str, Any]):
    """Money: a decimal string, or a JSON number, which is read without binary rounding.

    Whether it fits the currency is for :func:`check_amount`, once the currency is known.
    """

    default_error_messages = {
        "invalid": gettext_lazy("An amount is a decimal number such as “50.00”."),
        "zero": gettext_lazy("The amount must not be zero."),
        "negative": gettext_lazy("The amount must not be negative."),
        "too_many_digits": gettext_lazy("An amount has at most 12 digits."),
    }

    def __init__(self, *, allow_zero: bool = True, allow_negative: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.allow_zero = allow_zero
        self.allow_negative = allow_negative

    def to_internal_value(self, data: Any) -> Decimal:
        """The amount, exactly as it was written."""
        amount = self._read(data)
        if abs(amount.adjusted()) > 2 * MAX_DIGITS or digits(amount) > 2 * MAX_DIGITS:
            self.fail("too_many_digits")
        if not amount and not self.allow_zero:
            self.fail("zero")
        if amount < 0 and not self.allow_negative:
            self.fail("negative")
        return amount

    def described(self) -> dict[str, Any]:
        """What it takes, for the schema."""
        sign = "-?" if self.allow_negative else ""
        text: dict[str, Any] = {"type": "string", "pattern": f"^{sign}{_AMOUNT_TEXT}$", "examples": ["50.00"]}
        number: dict[str, Any] = {"type": "number", "exclusiveMaximum": 10**MAX_DIGITS, "examples": [50]}
        if self.allow_negative:
            number |= {"exclusiveMinimum": -(10**MAX_DIGITS)}
        else:
            number |= {"minimum": 0} if self.allow_zero else {"exclusiveMinimum": 0}
        if not self.allow_zero:
            text |= {"not": {"pattern": "^[-0.]*$"}}
            number |= {"not": {"const": 0}} if self.allow_negative else {}
        words = "A decimal number of at most 12 digits, no finer than the currency's unit; best sent as text."
        return {"oneOf": [text, number], "description": words}

    def _read(self, data: Any) -> Decimal:
        if isinstance(data, bool) or not isinstance(data, str | int | Decimal):
            self.fail("invalid")
        if isinstance(data, str) and not _AMOUNT.fullmatch(data):
            self.fail("invalid")
        if isinstance(data, str) and data.startswith("-") and not self.allow_negative:
            self.fail("negative")
        try:
            return Decimal(data)
        except InvalidOperation:
            return self.fail("invalid")


@extend_schema_field({"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$", "examples": ["50.00"]})
class AmountTextField(serializers.CharField):
    """Money in an answer: a decimal string with exactly the currency's decimals."""


@extend_schema_field({"oneOf": [{"type": "string", "examples": ["50.00"]}, {"type": "integer", "examples": [100]}]})
class ValueField(serializers.Field[Any, Any, Any, Any]):
    """An amount of either kind in an answer: credits are a decimal text, points an integer."""


AMOUNT_FIELDS: Final = (AmountField, AmountTextField, ValueField)


class PointsField(Described, serializers.Field[int, Any, int, Any]):
    """A whole number in JSON, 100 or 100.0: no text, no fraction, no true or false."""

    default_error_messages = {
        "invalid": gettext_lazy("This is a whole number such as 100, not a text or a fraction."),
        "zero": gettext_lazy("The number must not be zero."),
        "negative": gettext_lazy("The number must not be negative."),
        "too_many_digits": gettext_lazy("The number has at most 12 digits."),
    }
    write = int

    def __init__(self, *, allow_zero: bool = True, allow_negative: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.allow_zero = allow_zero
        self.allow_negative = allow_negative

    def to_internal_value(self, data: Any) -> int:
        """The number."""
        if isinstance(data, bool) or not isinstance(data, int | Decimal):
            self.fail("invalid")
        number = Decimal(data)
        if abs(number) >= 10**MAX_DIGITS:
            self.fail("too_many_digits")
        if number != number.to_integral_value():
            self.fail("invalid")
        if not number and not self.allow_zero:
            self.fail("zero")
        if number < 0 and not self.allow_negative:
            self.fail("negative")
        return int(number)

    def to_representation(self, value: Any) -> int:
        """The number."""
        return int(value)

    def described(self) -> dict[str, Any]:
        """What it takes, for the schema."""
        most = 10**MAX_DIGITS - 1
        least = -most if self.allow_negative else 0 if self.allow_zero else 1
        never = {"not": {"const": 0}} if self.allow_negative and not self.allow_zero else {}
        return {"type": "integer", "format": "int64", "minimum": least, "maximum": most, "examples": [100], **never}


class WholeNumberField(PointsField):
    """A whole number within bounds."""

    def __init__(self, *, least: int = 0, most: int, **options: Any) -> None:
        super().__init__(**{"required": False, **options})
        self.least, self.most = least, most

    def to_internal_value(self, data: Any) -> int:
        """The number."""
        number = super().to_internal_value(data)
        if not self.least <= number <= self.most:
            code = "max_value" if number > self.most else "min_value"
            raise serializers.ValidationError(
                _("This is a number from %(least)s to %(most)s.") % {"least": self.least, "most": self.most}, code=code
            )
        return number

    def described(self) -> dict[str, Any]:
        """What it takes, for the schema."""
        return super().described() | {"minimum": self.least, "maximum": self.most, "examples": [self.least]}


class _TextValue(serializers.Field[Any, Any, str, Any]):
    parse: Callable[[str], Any]

    def to_internal_value(self, data: Any) -> Any:
        """The value, out of a JSON text."""
        try:
            return type(self).parse(data)
        except (TypeError, ValueError):
            return self.fail("invalid")


@extend_schema_field({"type": "string", "format": "date-time", "examples": ["2026-01-05T11:00:00+08:00"]})
class InstantField(_TextValue):
    """An instant with its offset, from the year 2000 to ten years ahead, or to ``ahead`` of now (L8)."""

    default_error_messages = {
        "invalid": gettext_lazy("An instant looks like 2026-01-05T11:00:00+08:00; the offset is needed.")
    }
    parse = staticmethod(parse_instant)
    write = staticmethod(instant_text)

    def __init__(self, *, ahead: timedelta | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.ahead = ahead

    def to_internal_value(self, data: Any) -> datetime:
        """The instant, within what is accepted at the time of the request."""
        instant: datetime = super().to_internal_value(data)
        try:
            return check_instant(instant, now=self.context["now"], ahead=self.ahead)
        except OutOfRange as error:
            raise serializers.ValidationError(str(error), code="out_of_range") from error


def parse_day(text: str) -> date:
    """A calendar day such as 2026-12-31. Raises ValueError."""
    if not _DAY.fullmatch(text):
        raise ValueError(text)
    return date.fromisoformat(text)


@extend_schema_field({"type": "string", "format": "date", "examples": ["2026-12-31"]})
class DayField(_TextValue):
    """A calendar day, in the store's time zone."""

    default_error_messages = {"invalid": gettext_lazy("A day looks like 2026-12-31.")}
    parse = staticmethod(parse_day)
    write = staticmethod(date.isoformat)


class _JSONText(serializers.CharField):
    default_error_messages = {"not_a_text": gettext_lazy("This is a text.")}

    def to_internal_value(self, data: Any) -> Any:
        """The text, trimmed. Its length is that of what was sent."""
        if not isinstance(data, str):
            self.fail("not_a_text")
        if self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return super().to_internal_value(data)


class TextField(_JSONText):
    """A JSON text, trimmed; no number that looks like one."""


class BytesField(Described, TextField):
    """Bytes as base64 (RFC 4648, section 4)."""

    default_error_messages = {"invalid": gettext_lazy("This is not base64.")}

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # What no text may hold is no base64 either: nobody goes through a megabyte of bytes for it, letter by letter.
        self.validators = [check for check in self.validators if isinstance(check, MaxLengthValidator)]

    def described(self) -> dict[str, Any]:
        """What it takes, for the schema."""
        return {"type": "string", "pattern": _BASE64, "minLength": 1, "maxLength": self.max_length}

    def to_internal_value(self, data: Any) -> Any:
        """The bytes. Raises ValidationError."""
        text = super().to_internal_value(data)
        try:
            return b64decode(text, validate=True)
        except ValueError:
            self.fail("invalid")


class EmailField(Described, _JSONText, serializers.EmailField):
    """An e-mail address."""

    def described(self) -> dict[str, Any]:
        """What it takes, for the schema: the last part of the domain has two letters or more."""
        address = {"type": "string", "format": "email", "maxLength": self.max_length, "pattern": _ADDRESS}
        return {"anyOf": [address, {"type": "string", "const": ""}]} if self.allow_blank else address


class SlugField(_JSONText, serializers.SlugField):
    """A name of Latin letters, digits, hyphens and underscores."""


class CurrencyField(Described, TextField):
    """The code of a currency that is legal tender today."""

    default_error_messages = {"unknown_currency": gettext_lazy("This is not a currency code such as USD.")}

    def to_internal_value(self, data: Any) -> str:
        """The code."""
        code: str = super().to_internal_value(data)
        if not is_currency(code):
            self.fail("unknown_currency")
        return code

    def described(self) -> dict[str, Any]:
        """What it takes, for the schema."""
        return {"type": "string", "enum": currencies(), "description": "A code of ISO 4217.", "examples": ["USD"]}


class YesNoField(serializers.BooleanField):
    """JSON's true or false, and nothing that looks like it."""

    def to_internal_value(self, data: Any) -> bool:
        """The value."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Body(serializers.Serializer[Any]):
    """What a request may say. A field that is not known is an error, so that a misspelt one is never ignored.

    ``between_fields`` is what its fields say of one another, in JSON Schema. Where ``null_is_default``, a null brings
    back what would be there without the field.
    """

    between_fields: ClassVar[Mapping[str, Any]] = {}
    null_is_default: ClassVar[bool] = False

    def to_internal_value(self, data: Any) -> Any:
        """The values. Raises ValidationError naming every field that is wrong or unknown."""
        unknown = data.keys() - self.fields.keys() if isinstance(data, dict) else ()
        stranger = [serializers.ErrorDetail(_("There is no field of this name."), code="unknown_field")]
        errors: dict[str, Any] = dict.fromkeys(sorted(unknown), stranger)
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as error:
            detail: Any = error.detail
            raise serializers.ValidationError({**detail, **errors}) from error
        if errors:
            raise serializers.ValidationError(errors)
        return values
