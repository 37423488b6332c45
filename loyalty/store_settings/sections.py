"""A store's settings: their shape and defaults, and the version that governs (H4)."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from typing import Annotated, Any, Final, Literal, get_args, get_origin, get_type_hints

from django.db.models import Exists, Min, OuterRef
from django.db.models.fields.json import KT
from django.utils.translation import gettext_noop

from loyalty.core.values import MAX_DIGITS
from loyalty.database.bulk import array
from loyalty.database.prepared import ask
from loyalty.store_settings.facts import NOTHING, Facts, facts_by_name, is_nullable
from loyalty.store_settings.letterhead import LetterheadSettings
from loyalty.store_settings.words import WordsSettings
from loyalty.stores.models import SettingsVersion, Store

AutoCancel = Literal["off", "cancel", "cancel_and_revert"]
ExpiredLots = Literal["all_or_nothing", "valid_only"]
TRIGGER_STATUSES: Final = ("cancelled", "refunded", "partially_refunded")
_TEN_YEARS: Final = 3660
# Neither a comma, which platforms take for two tags, nor what ends a line or cannot be seen.
_END: Final = r"[^\s\u0000-\u001f\u007f-\u009f,]"
_PLATFORM_TAG: Final = rf"{_END}[^\u0000-\u001f\u007f-\u009f\u2028\u2029,]+{_END}"


@dataclass(frozen=True, slots=True)
class ExpiredLotsSettings:
    """Which rule for expired lots each trigger uses (E4)."""

    payment_expired: ExpiredLots = "all_or_nothing"
    payment_failed: Annotated[ExpiredLots, Facts(cautious="all_or_nothing")] = "valid_only"
    rules: Annotated[ExpiredLots, Facts(cautious="all_or_nothing")] = "valid_only"


@dataclass(frozen=True, slots=True)
class AutoCancelSettings:
    """What happens to orders whose payment expired or failed (E1, E2, F1)."""

    payment_window_hours: Annotated[int | None, Facts(least=1, most=24 * 365)] = None
    failed_grace_minutes: Annotated[int, Facts(most=60 * 24 * 30)] = 0
    expired: Annotated[AutoCancel, Facts(cautious="off")] = "off"
    failed: Annotated[AutoCancel, Facts(cautious="off")] = "cancel_and_revert"
    expired_lots: ExpiredLotsSettings = field(default_factory=ExpiredLotsSettings)

    @property
    def payment_window(self) -> timedelta | None:
        """How long after it was placed an order is to be paid that has no due time of its own; None for ever (E1)."""
        return None if self.payment_window_hours is None else timedelta(hours=self.payment_window_hours)

    def mode(self, payment_status: str) -> AutoCancel:
        """What becomes of orders whose payment is ``expired``, or ``failed`` (E2, F1)."""
        return self.expired if payment_status == "expired" else self.failed

    def due(self, own: datetime | None, placed_at: datetime) -> datetime | None:
        """When a payment is due: at its own time, else when the window has passed; None for never (E1)."""
        return placed_at + self.payment_window if own is None and self.payment_window is not None else own


@dataclass(frozen=True, slots=True)
class SpentRevertSettings:
    """The spent-revert rules (N1) and skip tags (N3)."""

    enabled: Annotated[bool, Facts(cautious=False)] = False
    statuses: Annotated[tuple[str, ...], Facts(choices=TRIGGER_STATUSES, cautious=())] = ("cancelled", "refunded")
    tags: Annotated[tuple[str, ...], Facts(cautious=())] = ()
    skip_tags: tuple[str, ...] = ()
    kinds: Annotated[tuple[str, ...], Facts(choices=("credits", "points"), cautious=())] = ("credits", "points")
    delay_minutes: Annotated[int, Facts(most=60 * 24 * 30)] = 0


@dataclass(frozen=True, slots=True)
class ExtendSettings:
    """How far expired value may be extended, in days from today (M3)."""

    default_days: Annotated[int, Facts(least=1, most=_TEN_YEARS)] = 30
    max_days: Annotated[int, Facts(least=1, most=_TEN_YEARS)] = 365


@dataclass(frozen=True, slots=True)
class PointsExpirySettings:
    """The expiry scheme of points lots (L7); ``month`` and ``day`` name the yearly date."""

    scheme: Literal["never", "days", "yearly"] = "never"
    days: Annotated[int, Facts(least=1, most=_TEN_YEARS)] = 365
    month: Annotated[int, Facts(least=1, most=12)] = 12
    day: Annotated[int, Facts(least=1, most=31)] = 31


@dataclass(frozen=True, slots=True)
class NotifySettings:
    """When customers are told (M5, H3)."""

    on_cancel_default: bool = False
    on_automatic: Annotated[bool, Facts(cautious=False)] = False
    on_redemption_reversal_default: bool = True
    on_adjustment_default: Annotated[
        bool, Facts(words="Whether the back-office suggests telling customers what is given or removed by hand.")
    ] = False


@dataclass(frozen=True, slots=True)
class ReminderSettings:
    """Telling customers before value expires: how many days before its last day of use; None: never."""

    days_before: Annotated[int | None, Facts(most=365)] = None


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """How far support staff may adjust (credits in the store's currency), and how long a revert can be undone.

    ``None`` means support staff may not adjust that kind at all.
    """

    support_adjust_credits: Annotated[Decimal | None, Facts(cautious=None)] = Decimal(100)
    support_adjust_points: Annotated[int | None, Facts(most=10**MAX_DIGITS - 1, cautious=None)] = 1000
    undo_hours: Annotated[int, Facts(most=24 * 365, cautious=0)] = 72


@dataclass(frozen=True, slots=True)
class EarningSettings:
    """Points awarded for each unit of the store's currency of an order's total, once the order is ``on_status``.

    ``points_per_unit`` None: orders earn nothing by themselves. ``paid`` is a payment's status, the others an order's.
    """

    points_per_unit: Annotated[Decimal | None, Facts(below=1_000_000, finest=Decimal("0.0001"))] = None
    on_status: Literal["confirmed", "completed", "paid"] = "completed"


@dataclass(frozen=True, slots=True)
class EarnedPointsSettings:
    """What happens to points earned by an order that falls through (C1): taken back where ``claw_back`` is on.

    ``statuses`` and ``tags`` say of which orders, ``skip_tags`` of which not, as those of the spent-revert rules do
    (N1, N3). What cannot be taken is owed (``allow_negative``), or counts against what is earned next
    (``carry_shortfall``).
    """

    claw_back: bool = False
    statuses: Annotated[tuple[str, ...], Facts(choices=TRIGGER_STATUSES, cautious=())] = TRIGGER_STATUSES
    tags: Annotated[tuple[str, ...], Facts(cautious=())] = ()
    skip_tags: tuple[str, ...] = ()
    allow_negative: bool = False
    carry_shortfall: Annotated[
        bool, Facts(words="Whether points that could not be taken back count against what is earned next.")
    ] = True


@dataclass(frozen=True, slots=True)
class WriteBackSettings:
    """What is told to the shop platform: the tag put on an order whose value came back (None: none), cancels (O6).

    With a cancel the platform can be asked to return what the order used there of its own, each kind by itself.
    """

    tag: Annotated[
        str | None,
        Facts(
            shortest=3,
            longest=40,
            pattern=_PLATFORM_TAG,
            mistake=gettext_noop("A tag has no comma and no line break."),
        ),
    ] = None
    cancel_orders: bool = False
    return_credits_there: bool = False
    return_points_there: bool = False


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """All settings of one store at one version; version 0 is the defaults, before anything was saved."""

    auto_cancel: AutoCancelSettings = field(default_factory=AutoCancelSettings)
    spent_revert: SpentRevertSettings = field(default_factory=SpentRevertSettings)
    extend: ExtendSettings = field(default_factory=ExtendSettings)
    points_expiry: PointsExpirySettings = field(default_factory=PointsExpirySettings)
    notify: NotifySettings = field(default_factory=NotifySettings)
    reminders: ReminderSettings = field(default_factory=ReminderSettings)
    limits: LimitSettings = field(default_factory=LimitSettings)
    earning: EarningSettings = field(default_factory=EarningSettings)
    earned_points: EarnedPointsSettings = field(default_factory=EarnedPointsSettings)
    write_back: WriteBackSettings = field(default_factory=WriteBackSettings)
    words: WordsSettings = field(default_factory=WordsSettings)
    letterhead: LetterheadSettings = field(default_factory=LetterheadSettings)
    version: int = 0


_SECTIONS: Final = {name: kind for name, kind in get_type_hints(StoreSettings).items() if is_dataclass(kind)}
_SPANS: Final = {"days": _TEN_YEARS, "hours": _TEN_YEARS * 24, "minutes": _TEN_YEARS * 24 * 60}

_NOT_THERE: Final = object()
_NEWEST: Final = """
SELECT store_id, data, version
FROM unnest(%s::bigint[]) AS asked (store_id), LATERAL (
    SELECT data::text, version FROM stores_settingsversion AS saved
    WHERE saved.store_id = asked.store_id ORDER BY version DESC LIMIT 1
) AS newest
"""
# Where null is a value: no window, not allowed. Everywhere else it brings the default back.
NULLABLE: Final = frozenset(
    name
    for kind in (*_SECTIONS.values(), ExpiredLotsSettings)
    for name, hint in get_type_hints(kind).items()
    if is_nullable(hint)
)


def current_settings(store: Store) -> StoreSettings:
    """The settings that govern ``store`` now; one query."""
    return settings_of([store.pk])[store.pk]


def settings_of(store_ids: Collection[int]) -> dict[int, StoreSettings]:
    """The settings that govern each of these stores now, which are the defaults where it saved none; one query."""
    return asking_settings(store_ids)()


def asking_settings(store_ids: Collection[int]) -> Callable[[], dict[int, StoreSettings]]:
    """As :func:`settings_of`, awaited when they are asked for (ADR 0070)."""
    newest = ask(_NEWEST, [array(store_ids)])

    def read() -> dict[int, StoreSettings]:
        saved = {store_id: _as_saved(data, version) for store_id, data, version in newest.rows()}
        return {pk: saved.get(pk) or StoreSettings() for pk in store_ids}

    return read


@lru_cache(maxsize=1000)
def _as_saved(data: str, version: int) -> StoreSettings:
    """What the text of a saved version says; the same for the same text, so no cancel and no sweep reads it again."""
    return settings_from_json(json.loads(data), version=version)


def settings_by_store() -> dict[int, StoreSettings]:
    """The settings that govern each store now, by the store's id; two queries, for jobs that serve all stores."""
    return settings_of(list(Store.objects.values_list("pk", flat=True)))


def earning_since(store_ids: Collection[int]) -> dict[int, datetime]:
    """When these stores last switched on that orders earn points (C2), by store; without those where it is off.

    A rate that is changed goes on earning. One query.
    """
    versions = SettingsVersion.unscoped.annotate(rate=KT("data__earning__points_per_unit"))
    later = versions.filter(store=OuterRef("store"), version__gt=OuterRef("version"), rate__isnull=True)
    earning = versions.filter(~Exists(later), store__in=store_ids, rate__isnull=False).order_by()
    return dict(earning.values("store").annotate(since=Min("created_at")).values_list("store", "since"))


def setting_at(path: Sequence[str]) -> tuple[Any, Facts]:
    """The type and the facts of one setting, such as ``("extend", "max_days")``."""
    section: Any = StoreSettings
    for name in path[:-1]:
        section = get_type_hints(section)[name]
    return get_type_hints(section)[path[-1]], facts_by_name(section)[path[-1]]


def settings_from_json(data: Mapping[str, Any], *, version: int) -> StoreSettings:
    """Settings out of a saved version, whoever wrote it; what it does not name has its default.

    A newer release may have saved what this one does not know, while both run side by side. A name that is unknown is
    passed over; a value that is, counts as the cautious one of its field: nothing is done that the store may not want.
    """
    sections: dict[str, Any] = {name: _section(kind, data.get(name, {})) for name, kind in _SECTIONS.items()}
    return StoreSettings(**sections, version=version)


def keeping_unknown(saved: Any, before: Any, after: Any) -> Any:
    """What is saved next: ``after`` where it differs from ``before``, and what stands there where it does not.

    ``before`` is how this release reads ``saved``, so that what only a newer one understands is not lost.
    """
    if isinstance(saved, Mapping) and isinstance(after, Mapping):
        known = {
            name: keeping_unknown(saved.get(name, value), before.get(name), value) for name, value in after.items()
        }
        return {**saved, **known}
    return saved if before == after else after


def not_understood(data: Mapping[str, Any]) -> list[str]:
    """What a saved version says and this release reads otherwise: names such as ``auto_cancel.failed``."""
    return list(_read_otherwise(data, settings_to_json(settings_from_json(data, version=0)), ""))


def _read_otherwise(saved: Mapping[str, Any], read: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for name, value in saved.items():
        known = read.get(name, value if name == "version" else _NOT_THERE)
        if isinstance(value, Mapping) and isinstance(known, Mapping):
            yield from _read_otherwise(value, known, f"{prefix}{name}.")
        elif _listed(known) != _listed(value):
            yield f"{prefix}{name}"


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def settings_to_json(settings: StoreSettings) -> dict[str, Any]:
    """The JSON form that is saved and shown by the API; amounts are decimal strings."""
    data: dict[str, Any] = _as_json(asdict(settings))
    return data


def _as_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _as_json(inner) for name, inner in value.items()}
    return f"{value:f}" if isinstance(value, Decimal) else value


def _section(kind: Any, data: Any) -> Any:
    values = data if isinstance(data, Mapping) else {}
    hints, facts = _hints(kind), facts_by_name(kind)
    read: dict[str, Any] = {}
    for name in hints.keys() & values.keys():
        try:
            read[name] = _value(hints[name], values[name], most=_most(name))
        except (ValueError, ArithmeticError):
            if facts[name].cautious is not NOTHING:
                read[name] = facts[name].cautious
    return kind(**read)


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _value(hint: Any, value: Any, *, most: int) -> Any:
    """A JSON value as a field's type has it. Raises ValueError, or ArithmeticError for what is no decimal number."""
    if is_dataclass(hint):
        return _section(hint, value)
    choices = get_args(hint)
    if is_nullable(hint):
        return None if value is None else _value(choices[0], value, most=most)
    if get_origin(hint) is tuple:
        is_texts = isinstance(value, list | tuple) and all(isinstance(text, str) for text in value)
        return tuple(_only(value, is_texts))
    if hint is Decimal:
        number = Decimal(_only(value, isinstance(value, str | int | Decimal)))
        return _only(number, number.is_finite())
    if get_origin(hint) is Literal:
        return _only(value, value in choices)
    return _only(value, type(value) is hint and (hint is not int or abs(value) <= most))


def _only(value: Any, is_readable: bool) -> Any:
    if not is_readable:
        raise ValueError(value)
    return value


def _most(name: str) -> int:
    """The largest number that a field may hold: a span of time is ten years at most, so that no instant overflows."""
    return _SPANS.get(name.rsplit("_", maxsplit=1)[-1], _SPANS.get(name.split("_", maxsplit=1)[0], 10**12))
