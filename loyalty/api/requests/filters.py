"""List filters that refuse what they do not know: declared with django-filter, described in the schema."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, ClassVar, Final

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request
from rest_framework.views import APIView

from loyalty.api.answers.pagination import PARAMETERS
from loyalty.api.answers.problems import Problem
from loyalty.api.openapi.describe import ANY_TEXT
from loyalty.api.values import parse_day
from loyalty.core.instants import OutOfRange, check_day, check_instant
from loyalty.core.phrases import enumerated
from loyalty.core.values import parse_id, parse_instant
from loyalty.customers.merged import one_person

_MAX_TEXT: Final = 255
_DAY_LENGTH: Final = len("2026-01-05")
_INSTANT_WANTED: Final = gettext_noop("an instant looks like 2026-01-05T11:00:00+08:00; the offset is needed")
_MOMENT_WANTED: Final = gettext_noop(
    "an instant looks like 2026-01-05T11:00:00+08:00; the offset is needed; a day looks like 2026-01-05"
)


class _ListField(forms.CharField):
    """A comma list of known values."""

    def __init__(self, *, values: Sequence[str], **options: Any) -> None:
        super().__init__(**options)
        self.values = tuple(values)

    def clean(self, value: Any) -> list[str]:
        chosen = [part.strip() for part in super().clean(value).split(",")]
        for part in chosen:
            if part not in self.values:
                raise ValidationError(
                    _("“%(part)s” is not one of %(values)s") % {"part": part, "values": enumerated(self.values)}
                )
        return chosen


def _lenient_instant(text: str) -> datetime:
    # A plus sign that was not escaped arrives as a space.
    return parse_instant(f"{text[:-6]}+{text[-5:]}" if text[-6:-5] == " " else text)


class _InstantField(forms.CharField):
    def clean(self, value: Any) -> datetime:
        try:
            return _lenient_instant(super().clean(value))
        except ValueError:
            raise ValidationError(_(_INSTANT_WANTED)) from None


class _MomentField(forms.CharField):
    def clean(self, value: Any) -> datetime | date:
        text = super().clean(value)
        try:
            return parse_day(text) if len(text) == _DAY_LENGTH else _lenient_instant(text)
        except ValueError:
            raise ValidationError(_(_MOMENT_WANTED)) from None


class _YesNoField(forms.CharField):
    def clean(self, value: Any) -> bool:
        text = super().clean(value)
        if text not in ("true", "false"):
            raise ValidationError(_("it must be true or false"))
        return bool(text == "true")


class _PairField(forms.CharField):
    def clean(self, value: Any) -> tuple[str, str]:
        platform, colon, external_id = super().clean(value).partition(":")
        if not (platform and colon and external_id):
            raise ValidationError(_("it is a platform and an id there, such as shopify:7001"))
        return platform, external_id


class _IdField(forms.CharField):
    def clean(self, value: Any) -> int:
        # An id that cannot be one of ours is one that no row has, like another store's (T1).
        return parse_id(super().clean(value)) or 0


class Described(django_filters.Filter):
    """A filter that can say what it takes; ``help_text`` says what it does."""

    schema: ClassVar[Mapping[str, Any]] = {"type": "string"}

    def parameter(self, name: str) -> dict[str, Any]:
        """The OpenAPI description of this parameter."""
        return {
            "name": name,
            "in": "query",
            "required": False,
            "description": self.extra["help_text"],
            "schema": dict(self.schema),
        }


class TextFilter(Described, django_filters.CharFilter):
    """Any text."""

    schema = {"type": "string", "minLength": 1, "maxLength": _MAX_TEXT, "pattern": ANY_TEXT}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, strip=False, required=True, max_length=_MAX_TEXT, **options)


class PairFilter(Described):
    """A platform and an id there, with a colon between them."""

    field_class = _PairField
    schema = {
        "type": "string",
        "maxLength": _MAX_TEXT,
        "pattern": r"^[^:\u0000]+:[^\u0000]+$",
        "examples": ["shopify:7001"],
    }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, strip=False, required=True, max_length=_MAX_TEXT, **options)


class MomentFilter(Described):
    """An instant, or the day of the store that begins then; the view's own method tells them apart."""

    field_class = _MomentField
    schema = {
        "anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}],
        "examples": ["2026-12-31", "2026-12-31T00:00:00+08:00"],
    }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, required=True, **options)


class IdFilter(Described):
    """An opaque id; one that the store does not have matches nothing."""

    field_class = _IdField
    schema = {"type": "string", "minLength": 1, "pattern": ANY_TEXT}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, strip=False, required=True, **options)


class CustomerFilter(IdFilter):
    """The id of a customer: everybody who is one person with him is meant (O7)."""

    def filter(self, qs: "QuerySet[Any]", value: int | None) -> "QuerySet[Any]":
        """Rows of that person."""
        if value is None:
            return qs
        people = one_person(value) or [value]
        return qs.filter(**{f"{self.field_name}__in": people} if len(people) > 1 else {self.field_name: people[0]})


class InstantFilter(Described):
    """An instant with its offset."""

    field_class = _InstantField
    schema = {"type": "string", "format": "date-time"}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, required=True, **options)


class YesNoFilter(Described):
    """true or false."""

    field_class = _YesNoField
    schema = {"type": "boolean"}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, required=True, **options)


class ListFilter(Described):
    """A comma list of known values: any of them matches. Without a method the column is one of them."""

    field_class = _ListField

    def __init__(self, *args: Any, values: Sequence[str], **options: Any) -> None:
        super().__init__(*args, lookup_expr="in", required=True, values=values, **options)

    def parameter(self, name: str) -> dict[str, Any]:
        """An array written with commas."""
        schema = {"type": "array", "minItems": 1, "items": {"type": "string", "enum": list(self.extra["values"])}}
        return super().parameter(name) | {"schema": schema, "style": "form", "explode": False}


class ChoiceFilter(ListFilter):
    """Exactly one of the known values."""

    def __init__(self, *args: Any, values: Sequence[str], **options: Any) -> None:
        super().__init__(*args, values=values, **options)

    def parameter(self, name: str) -> dict[str, Any]:
        """A text out of a list."""
        schema = {"type": "string", "enum": list(self.extra["values"])}
        return Described.parameter(self, name) | {"schema": schema}


class Filters(django_filters.FilterSet):
    """Base of every list's filters. Only those that a request names are built, which keeps a list quick."""

    def __init__(self, data: QueryDict, queryset: "QuerySet[Any]", *, request: Request) -> None:
        declared = filters_of(type(self))
        self.base_filters = {name: item for name, item in declared.items() if name in data}
        super().__init__(data, queryset, request=request)

    def narrowed(self) -> "QuerySet[Any]":
        """The rows that are asked for. Raises Problem ``invalid-parameter`` naming the first wrong parameter."""
        for name, messages in self.errors.items():
            raise wrong_value(name, messages[0])
        now: datetime = self.request.parser_context["view"].now
        for name, value in self.form.cleaned_data.items():
            within_range(name, value, now)
        rows: QuerySet[Any] = self.qs
        return rows


def filters_of(filters: type[Filters]) -> Mapping[str, Described]:
    """The filters that a class declares, by their parameter."""
    declared: Any = filters
    result: Mapping[str, Described] = declared.base_filters
    return result


class StrictFilters(BaseFilterBackend):
    """Applies a view's ``filterset_class``; every parameter that the view does not have is an error."""

    def filter_queryset(self, request: Request, queryset: "QuerySet[Any]", view: APIView) -> "QuerySet[Any]":
        """The rows that are asked for."""
        filters: type[Filters] | None = getattr(view, "filterset_class", None)
        return filters(request.query_params, queryset, request=request).narrowed() if filters else queryset

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        """What the schema says about the parameters."""
        filters: type[Filters] | None = getattr(view, "filterset_class", None)
        return [item.parameter(name) for name, item in filters_of(filters).items()] if filters else []


def wrong_value(name: str, reason: object) -> Problem:
    """The refusal of a query parameter."""
    words = _("“%(name)s” has a wrong value: %(reason)s") % {"name": name, "reason": reason}
    return Problem("invalid-parameter", words, members={"parameter": name})


def within_range(name: str, value: Any, now: datetime) -> None:
    """Raise Problem ``invalid-parameter`` for an instant or a day that nobody means (L8)."""
    try:
        if isinstance(value, datetime):
            check_instant(value, now=now)
        elif isinstance(value, date):
            check_day(value, now=now)
    except OutOfRange as error:
        raise wrong_value(name, error) from error


def instant_parameter(request: Request, name: str, *, now: datetime) -> datetime | None:
    """The instant in a query parameter, None without it. Raises Problem ``invalid-parameter`` (L8)."""
    text = request.query_params.get(name)
    try:
        instant = None if text is None else _lenient_instant(text)
    except ValueError:
        raise wrong_value(name, _(_INSTANT_WANTED)) from None
    within_range(name, instant, now)
    return instant


def day_parameter(request: Request, name: str, *, now: datetime) -> date:
    """The day in a query parameter. Raises Problem ``invalid-parameter``, also when it is missing (L8)."""
    try:
        day = parse_day(request.query_params.get(name, ""))
    except ValueError:
        detail = _("“%(name)s” is needed: a day such as 2026-01-31.") % {"name": name}
        raise Problem("invalid-parameter", detail, members={"parameter": name}) from None
    within_range(name, day, now)
    return day


def refuse_unknown_parameters(request: Request, known: frozenset[str]) -> None:
    """Raise Problem ``invalid-parameter`` for a query parameter that is unknown or given twice."""
    for name, values in request.query_params.lists():
        if name not in known:
            reason = _("There is no query parameter “%(name)s” here.") % {"name": name}
        elif len(values) > 1:
            reason = _("“%(name)s” is given more than once.") % {"name": name}
        else:
            continue
        raise Problem("invalid-parameter", reason, members={"parameter": name})


def parameters_of_list(filters: type[Filters] | None) -> frozenset[str]:
    """The query parameters of a list with these filters."""
    return PARAMETERS | frozenset(filters_of(filters) if filters else ())
