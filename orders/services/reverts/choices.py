"""What somebody chose on the cancel form or in the API's cancel body (M2, M3), resolved into dates (M6)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.utils.translation import gettext as _

from loyalty.core.days import end_of_day
from loyalty.core.errors import FieldError, Invalid, pointer_step
from loyalty.ledger.ledger import Kind
from loyalty.ledger.planner import Amount, Decision, KindChoice, UsedLot
from loyalty.store_settings.sections import ExtendSettings
from loyalty.stores.models import Store
from orders.kinds import KINDS, allocation_ref


@dataclass(frozen=True, slots=True)
class Extension:
    """A new expiry as it was asked for: a number of days from today, or the last day of use."""

    days: int | None = None
    expires_on: date | None = None

    def to_json(self) -> dict[str, Any]:
        """The form of the REST contract."""
        return {"days": self.days} if self.expires_on is None else {"expires_on": self.expires_on.isoformat()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Extension":
        """The inverse of :meth:`to_json`."""
        if "expires_on" in data:
            return cls(expires_on=date.fromisoformat(data["expires_on"]))
        return cls(days=data["days"])

    def last_day(self, today: date) -> date:
        """The last day of use."""
        return self.expires_on or today + timedelta(days=self.days or 0)


@dataclass(frozen=True, slots=True)
class CancelChoice:
    """Per kind: return it (True), decline it (False) or leave it for later (None); and what is extended until when.

    ``extend`` is keyed by kind (all its expired lots), ``extend_allocations`` by allocation reference such as ``c12``.
    """

    returns: Mapping[Kind, bool | None] = field(default_factory=dict)
    extend: Mapping[Kind, Extension] = field(default_factory=dict)
    extend_allocations: Mapping[str, Extension] = field(default_factory=dict)

    def decision(self, kind: Kind) -> Decision:
        """What is to happen to ``kind`` (N4)."""
        answer = self.returns.get(kind)
        if answer is None:
            return Decision.DEFER
        return Decision.RETURN if answer else Decision.DECLINE

    def to_json(self) -> dict[str, Any]:
        """The canonical form: equal choices have equal JSON."""
        return {
            "returns": {kind: self.returns[kind] for kind in KINDS if self.returns.get(kind) is not None},
            "extend": {kind: self.extend[kind].to_json() for kind in KINDS if kind in self.extend},
            "allocations": {ref: extension.to_json() for ref, extension in sorted(self.extend_allocations.items())},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "CancelChoice":
        """The inverse of :meth:`to_json`."""
        return cls(
            returns=data["returns"],
            extend={kind: Extension.from_json(item) for kind, item in data["extend"].items()},
            extend_allocations={ref: Extension.from_json(item) for ref, item in data["allocations"].items()},
        )


@dataclass(frozen=True, slots=True)
class ResolvedChoice:
    """A choice whose extensions are dates: the last days of use under which expired value comes back (M6).

    ``targets`` say how much of a kind is to be back at most (N5); only rules have them, so no token carries them.
    """

    decisions: Mapping[Kind, Decision]
    extend: Mapping[Kind, date] = field(default_factory=dict)
    extend_allocations: Mapping[str, date] = field(default_factory=dict)
    targets: Mapping[Kind, Amount] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The form a preview token carries."""
        return {
            "decisions": dict(self.decisions),
            "extend": {kind: day.isoformat() for kind, day in self.extend.items()},
            "allocations": {ref: day.isoformat() for ref, day in self.extend_allocations.items()},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "ResolvedChoice":
        """The inverse of :meth:`to_json`."""
        return cls(
            decisions={kind: Decision(value) for kind, value in data["decisions"].items()},
            extend={kind: date.fromisoformat(day) for kind, day in data["extend"].items()},
            extend_allocations={ref: date.fromisoformat(day) for ref, day in data["allocations"].items()},
        )


DEFER_ALL = ResolvedChoice(decisions=dict.fromkeys(KINDS, Decision.DEFER))


def resolve(choice: CancelChoice, *, limits: ExtendSettings, today: date) -> ResolvedChoice:
    """The choice with every number of days turned into a date (M6).

    Raises Invalid at the field's pointer when a date is before today or further than the store allows (M3).
    """
    last = today + timedelta(days=limits.max_days)
    asked = [(f"/extend/{kind}", extension) for kind, extension in choice.extend.items()]
    asked += [(_at_allocation(ref), extension) for ref, extension in choice.extend_allocations.items()]
    errors = [error for pointer, extension in asked for error in _errors(pointer, extension, today, last)]
    if errors:
        raise Invalid(errors=errors)
    return ResolvedChoice(
        decisions={kind: choice.decision(kind) for kind in KINDS},
        extend={kind: item.last_day(today) for kind, item in choice.extend.items()},
        extend_allocations={ref: item.last_day(today) for ref, item in choice.extend_allocations.items()},
    )


def _errors(pointer: str, extension: Extension, today: date, last: date) -> Iterable[FieldError]:
    limit = (last - today).days
    if extension.expires_on is None and extension.days is not None and not 1 <= extension.days <= limit:
        yield FieldError(f"{pointer}/days", "out-of-range", _("Extend by 1 to %(limit)s days.") % {"limit": limit})
    elif extension.expires_on is not None and extension.expires_on < today:
        yield FieldError(f"{pointer}/expires_on", "in-the-past", _("The new expiry is before today."))
    elif extension.expires_on is not None and extension.expires_on > last:
        yield FieldError(
            f"{pointer}/expires_on",
            "out-of-range",
            _("The latest expiry this store allows is %(last)s.") % {"last": last},
        )


def kind_choice(choice: ResolvedChoice, kind: Kind, store: Store) -> KindChoice:
    """What the planner needs for one kind: dates become half-open instants in the store's time zone (L2)."""
    whole = choice.extend.get(kind)
    return KindChoice(
        decision=choice.decisions[kind],
        extend_all=end_of_day(whole, store.tz) if whole else None,
        extend={
            int(ref[1:]): end_of_day(day, store.tz)
            for ref, day in choice.extend_allocations.items()
            if ref.startswith(kind[0])
        },
        target=choice.targets.get(kind),
    )


def check_extensions(choice: ResolvedChoice, used: Mapping[Kind, Iterable[UsedLot]]) -> None:
    """Hold what is extended against what the order used: nobody's extension is dropped in silence.

    Raises Invalid: ``not-found`` for an allocation that this order does not have, ``not-returned`` for a kind, or an
    allocation of a kind, that the same choice does not return.
    """
    if not choice.extend and not choice.extend_allocations:
        return
    known = {allocation_ref(kind, lot.allocation_id): kind for kind in KINDS for lot in used[kind]}
    kept = {kind for kind in KINDS if choice.decisions[kind] is not Decision.RETURN}
    errors = [_not_returned(f"/extend/{kind}", kind) for kind in choice.extend if kind in kept]
    for ref in choice.extend_allocations:
        pointer = _at_allocation(ref)
        if ref not in known:
            errors.append(FieldError(pointer, "not-found", _("This order has no allocation %(ref)s.") % {"ref": ref}))
        elif known[ref] in kept:
            errors.append(_not_returned(pointer, known[ref]))
    if errors:
        raise Invalid(errors=errors)


def _at_allocation(ref: str) -> str:
    return f"/extend/allocations/{pointer_step(ref)}"


def _not_returned(pointer: str, kind: Kind) -> FieldError:
    return FieldError(
        pointer,
        "not-returned",
        _("What is extended has to be returned too: revert_%(kind)s is not true.") % {"kind": kind},
    )
