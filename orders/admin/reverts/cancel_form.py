"""What somebody chose on the cancel form: its fields, checked, and turned into a choice (M2, M3, M5)."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.backoffice.lists.filters import DayField
from loyalty.core.days import is_expired, local_day
from loyalty.core.errors import FieldError, Invalid
from loyalty.languages.own_names import name_of
from loyalty.ledger.ledger import Kind
from loyalty.ledger.planner import UsedLot
from loyalty.store_settings.sections import ExtendSettings, StoreSettings
from loyalty.stores.models import Store
from orders.admin.details_form import DetailsForm
from orders.kinds import KINDS, allocation_ref
from orders.services.reverts.apply import Details
from orders.services.reverts.choices import CancelChoice, Extension, resolve
from points.expiry_scheme import next_scheme_day

Used = Mapping[Kind, Sequence[UsedLot]]

# A change of these changes what is shown, so the page asks for a fresh preview.
_LIVE: Final = {"data-live-input": ""}
_INPUT: Final = {"class": "cf-input"}


class CancelForm(DetailsForm):
    """The fields of one order's form: a tick per kind with something left, Extend per expired lot, and the rest."""

    notify = forms.BooleanField(
        label=gettext_lazy("Notify the customer"),
        required=False,
        widget=forms.CheckboxInput(attrs=_LIVE | {"class": "cf-check"}),
    )

    def __init__(
        self, data: QueryDict | None, *, used: Used, store: Store, settings: StoreSettings, now: datetime
    ) -> None:
        """With ``data`` None the form holds what a fresh form proposes."""
        self.kinds = [kind for kind in KINDS if any(lot.outstanding for lot in used[kind])]
        self.extendable = extendable(used, now)
        self._limits, self._today = settings.extend, local_day(now, store.tz)
        super().__init__(self._completed(data, settings))
        for kind in self.kinds:
            self.fields[f"return_{kind}"] = _tick(_("Return %(kind)s") % {"kind": name_of(kind)})
        for ref in self.extendable:
            self.fields |= _extension_fields(ref, self._limits, self._today)

    def _completed(self, data: QueryDict | None, settings: StoreSettings) -> dict[str, Any]:
        """What was sent; a kind or lot that was not on the form when it was sent starts as on a fresh form."""
        values: dict[str, Any] = {} if data is None else data.dict()
        if data is None and settings.notify.on_cancel_default:
            values["notify"] = "on"
        for kind in self.kinds:
            if f"offered_{kind}" not in values:
                values[f"return_{kind}"] = "on"
        for ref, kind in self.extendable.items():
            if f"days_{ref}" not in values and f"until_{ref}" not in values:
                values |= self._proposed(ref, kind, settings)
        return values

    def _proposed(self, ref: str, kind: Kind, settings: StoreSettings) -> dict[str, str]:
        """The expiry offered first: for points what the store's scheme says (L7), otherwise the default days."""
        last_day = next_scheme_day(settings.points_expiry, today=self._today) if kind == "points" else None
        if last_day is None or last_day > self._today + timedelta(days=self._limits.max_days):
            return {f"days_{ref}": str(self._limits.default_days)}
        if settings.points_expiry.scheme == "days":
            return {f"days_{ref}": str((last_day - self._today).days)}
        return {f"until_{ref}": last_day.isoformat()}

    def clean(self) -> dict[str, Any]:
        """Hold every extension against the store's limits, with the error at its own field (M3)."""
        for ref in self._extended():
            if not self._wrong(ref) and self._extension(ref) is None:
                self.add_error(f"days_{ref}", _("Give a number of days, or a date."))
        try:
            resolve(self.choice(), limits=self._limits, today=self._today)
        except Invalid as invalid:
            for error in invalid.errors:
                self.add_error(_field_of(error), error.detail)
        return self.cleaned_data

    def choice(self) -> CancelChoice:
        """What was chosen, leaving out extensions that are wrong."""
        return CancelChoice(
            returns={kind: self.cleaned_data.get(f"return_{kind}", False) for kind in self.kinds},
            extend_allocations={
                ref: extension for ref in self._extended() if (extension := self._extension(ref)) is not None
            },
        )

    def details(self) -> Details:
        """What is said beside the choice (M5)."""
        chosen = self.cleaned_data
        return Details(
            reason=chosen.get("reason", ""),
            note=chosen.get("note", "").strip(),
            notify_customer=chosen.get("notify", False),
        )

    def _extended(self) -> list[str]:
        chosen = self.cleaned_data
        return [
            ref for ref, kind in self.extendable.items() if chosen.get(f"return_{kind}") and chosen.get(f"extend_{ref}")
        ]

    def _wrong(self, ref: str) -> bool:
        return self.has_error(f"days_{ref}") or self.has_error(f"until_{ref}")

    def _extension(self, ref: str) -> Extension | None:
        days, until = self.cleaned_data.get(f"days_{ref}"), self.cleaned_data.get(f"until_{ref}")
        if self._wrong(ref) or (days is None and until is None):
            return None
        return Extension(expires_on=until) if until else Extension(days=days)


def extendable(used: Used, now: datetime) -> dict[str, Kind]:
    """The allocations that have expired and are not back, by reference, with their kind (M3)."""
    return {
        allocation_ref(kind, lot.allocation_id): kind
        for kind in KINDS
        for lot in used[kind]
        if lot.outstanding and is_expired(lot.expires_at, now)
    }


def _tick(label: str) -> forms.BooleanField:
    widget = forms.CheckboxInput(attrs=_LIVE | {"class": "cf-check"})
    return forms.BooleanField(label=label, required=False, widget=widget)


def _extension_fields(ref: str, limits: ExtendSettings, today: date) -> dict[str, forms.Field]:
    said = {"aria-describedby": f"error-{ref}"}
    days = {"min": 1, "max": limits.max_days, "inputmode": "numeric"}
    until = {"type": "date", "min": today.isoformat()}
    return {
        f"extend_{ref}": _tick(_("Extend")),
        f"days_{ref}": forms.IntegerField(
            label=_("days from today"),
            required=False,
            widget=forms.NumberInput(attrs=_LIVE | _INPUT | said | days),
        ),
        f"until_{ref}": DayField(
            label=_("or until"),
            required=False,
            widget=forms.DateInput(attrs=_LIVE | _INPUT | said | until, format="%Y-%m-%d"),
        ),
    }


def _field_of(error: FieldError) -> str:
    """The field that a pointer such as ``/extend/allocations/c12/days`` is about."""
    *_, ref, what = error.pointer.split("/")
    return f"until_{ref}" if what == "expires_on" else f"days_{ref}"
