"""A store's settings: their shape and defaults, and the version that governs (H4)."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from django.db.models import Exists, Min, OuterRef, QuerySet
from django.db.models.fields.json import KT

from loyalty.stores.models import SettingsVersion, Store

AutoCancel = Literal["off", "cancel", "cancel_and_revert"]
ExpiredLots = Literal["all_or_nothing", "valid_only"]


@dataclass(frozen=True, slots=True)
class ExpiredLotsSettings:
    """Which rule for expired lots each trigger uses (E4)."""

    payment_expired: ExpiredLots = "all_or_nothing"
    payment_failed: ExpiredLots = "valid_only"
    rules: ExpiredLots = "valid_only"


@dataclass(frozen=True, slots=True)
class AutoCancelSettings:
    """What happens to orders whose payment expired or failed (E1, E2, F1)."""

    payment_window_hours: int | None = None
    failed_grace_minutes: int = 0
    expired: AutoCancel = "off"
    failed: AutoCancel = "cancel_and_revert"
    expired_lots: ExpiredLotsSettings = field(default_factory=ExpiredLotsSettings)


@dataclass(frozen=True, slots=True)
class SpentRevertSettings:
    """The spent-revert rules (N1) and skip tags (N3)."""

    enabled: bool = False
    statuses: tuple[str, ...] = ("cancelled", "refunded")
    tags: tuple[str, ...] = ()
    skip_tags: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ("credits", "points")
    delay_minutes: int = 0


@dataclass(frozen=True, slots=True)
class ExtendSettings:
    """How far expired value may be extended, in days from today (M3)."""

    default_days: int = 30
    max_days: int = 365


@dataclass(frozen=True, slots=True)
class PointsExpirySettings:
    """The expiry scheme of points lots (L7); ``month`` and ``day`` name the yearly date."""

    scheme: Literal["never", "days", "yearly"] = "never"
    days: int = 365
    month: int = 12
    day: int = 31


@dataclass(frozen=True, slots=True)
class NotifySettings:
    """When customers are told (M5, H3)."""

    on_cancel_default: bool = False
    on_automatic: bool = False
    on_redemption_reversal_default: bool = True


@dataclass(frozen=True, slots=True)
class ReminderSettings:
    """Telling customers before value expires: how many days before its last day of use; None: never."""

    days_before: int | None = None


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """How far support staff may adjust (credits in the store's currency), and how long a revert can be undone.

    ``None`` means support staff may not adjust that kind at all.
    """

    support_adjust_credits: Decimal | None = Decimal(100)
    support_adjust_points: int | None = 1000
    undo_hours: int = 72


@dataclass(frozen=True, slots=True)
class EarningSettings:
    """Points awarded for each unit of the store's currency of an order's total, once the order is ``on_status``.

    ``points_per_unit`` None: orders earn nothing by themselves. ``paid`` is a payment's status, the others an order's.
    """

    points_per_unit: Decimal | None = None
    on_status: Literal["confirmed", "completed", "paid"] = "completed"


@dataclass(frozen=True, slots=True)
class EarnedPointsSettings:
    """What happens to points earned by an order that falls through (C1)."""

    claw_back: bool = False
    allow_negative: bool = False


@dataclass(frozen=True, slots=True)
class WriteBackSettings:
    """What is told to the shop platform: the tag put on an order whose value came back (None: none), cancels (O6)."""

    tag: str | None = None
    cancel_orders: bool = False


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
    version: int = 0


_SECTIONS: dict[str, Any] = {
    "auto_cancel": AutoCancelSettings,
    "spent_revert": SpentRevertSettings,
    "extend": ExtendSettings,
    "points_expiry": PointsExpirySettings,
    "notify": NotifySettings,
    "reminders": ReminderSettings,
    "limits": LimitSettings,
    "earning": EarningSettings,
    "earned_points": EarnedPointsSettings,
    "write_back": WriteBackSettings,
}


# What is a decimal number, and therefore text in JSON.
_DECIMALS = (("limits", "support_adjust_credits"), ("earning", "points_per_unit"))


def current_settings(store: Store) -> StoreSettings:
    """The settings that govern ``store`` now; one query."""
    saved = SettingsVersion.objects.for_store(store).order_by("-version").first()
    return settings_from_json(saved.data, version=saved.version) if saved else StoreSettings()


def settings_of(store_ids: Collection[int]) -> dict[int, StoreSettings]:
    """The settings that govern each of these stores now; one query."""
    by_store = _saved(SettingsVersion.unscoped.filter(store__in=store_ids))
    return {pk: by_store.get(pk, StoreSettings()) for pk in store_ids}


def settings_by_store() -> dict[int, StoreSettings]:
    """The settings that govern each store now, by the store's id; stores that never saved any have the defaults.

    Two queries, for jobs that serve all stores.
    """
    by_store = _saved(SettingsVersion.unscoped.all())
    return {pk: by_store.get(pk, StoreSettings()) for pk in Store.objects.values_list("pk", flat=True)}


def earning_since(store_ids: Collection[int]) -> dict[int, datetime]:
    """When these stores last switched on that orders earn points (C2), by store; without those where it is off.

    A rate that is changed goes on earning. One query.
    """
    versions = SettingsVersion.unscoped.annotate(rate=KT("data__earning__points_per_unit"))
    later = versions.filter(store=OuterRef("store"), version__gt=OuterRef("version"), rate__isnull=True)
    earning = versions.filter(~Exists(later), store__in=store_ids, rate__isnull=False).order_by()
    return dict(earning.values("store").annotate(since=Min("created_at")).values_list("store", "since"))


def _saved(versions: "QuerySet[SettingsVersion]") -> dict[int, StoreSettings]:
    newest = versions.order_by("store_id", "-version").distinct("store_id")
    return {row.store_id: settings_from_json(row.data, version=row.version) for row in newest}


def settings_from_json(data: Mapping[str, Any], *, version: int) -> StoreSettings:
    """Settings out of a saved version; what it does not name has its default."""
    sections: dict[str, Any] = {name: _section(kind, data.get(name, {})) for name, kind in _SECTIONS.items()}
    return StoreSettings(**sections, version=version)


def settings_to_json(settings: StoreSettings) -> dict[str, Any]:
    """The JSON form that is saved and shown by the API; amounts are decimal strings."""
    data = asdict(settings)
    for section, name in _DECIMALS:
        value = data[section][name]
        data[section][name] = None if value is None else f"{value:f}"
    return data


def _section(kind: Any, data: Mapping[str, Any]) -> Any:
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}
    if kind is AutoCancelSettings and "expired_lots" in values:
        values["expired_lots"] = ExpiredLotsSettings(**values["expired_lots"])
    for _, name in _DECIMALS:
        if values.get(name) is not None:
            values[name] = Decimal(values[name])
    return kind(**values)
