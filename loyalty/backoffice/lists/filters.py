"""Filters of a list as one plain form that works without JavaScript and whose address can be shared."""

from collections.abc import Iterator
from datetime import date
from typing import Any, ClassVar

from django import forms
from django.contrib.admin import ListFilter, ModelAdmin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_noop

from loyalty.core.clock import read_clock
from loyalty.core.instants import OutOfRange, check_day
from loyalty.stores.active_store import active_store
from loyalty.stores.models import Store


class FilterForm(forms.Form):
    """Base of a list's filters. Every field is optional; ``narrow`` applies what is filled in and right."""

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **({"auto_id": "filter_%s", "label_suffix": ""} | kwargs))
        self.request = request
        self.store: Store = active_store(request)

    def narrow(self, rows: "QuerySet[Any]") -> "QuerySet[Any]":
        """The rows that fit what is chosen."""
        raise NotImplementedError

    def chosen(self, name: str) -> Any:
        """The cleaned value of a field; None for empty and for wrong input, which is shown beside the field."""
        self.is_valid()
        return self.cleaned_data.get(name) or None


class FormFilter(ListFilter):
    """A whole filter form as one of Django's list filters; subclasses name the form."""

    title = gettext_noop("Additional filters")
    form_class: ClassVar[type[FilterForm]]

    def __init__(
        self, request: HttpRequest, params: dict[str, Any], model: type[Model], model_admin: "ModelAdmin[Any]"
    ) -> None:
        super().__init__(request, params, model, model_admin)
        names = self.form_class.base_fields
        for name in names:
            params.pop(name, None)
        self.used_parameters = {name: request.GET[name] for name in names if request.GET.get(name)}
        self.form = self.form_class(request.GET, request=request)

    @property
    def is_active(self) -> bool:
        """Whether anything is chosen."""
        return bool(self.used_parameters)

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return list(self.form_class.base_fields)

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:
        return iter(())

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        return self.form.narrow(queryset)


class DayInput(forms.DateInput):
    """The browser's own date field."""

    input_type = "date"

    def __init__(self, **attributes: Any) -> None:
        super().__init__(attrs=attributes, format="%Y-%m-%d")


class DayField(forms.DateField):
    """A day, from the year 2000 to ten years ahead (L8)."""

    widget = DayInput

    def clean(self, value: Any) -> date | None:
        """The day, None for an empty field. Raises ValidationError naming the days that are accepted."""
        day: date | None = super().clean(value)
        try:
            return day and check_day(day, now=read_clock())
        except OutOfRange as error:
            raise forms.ValidationError(str(error)) from error
