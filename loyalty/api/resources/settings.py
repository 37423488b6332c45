"""A store's settings over REST."""

import calendar
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar, Final

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from loyalty.api.answers.documents import ActorDocument, Document, actor_json
from loyalty.api.openapi.schema import IF_MATCH
from loyalty.api.requests.etags import etag, expected_version
from loyalty.api.values import (
    AmountField,
    Body,
    Described,
    InstantField,
    PointsField,
    TextField,
    WholeNumberField,
    YesNoField,
)
from loyalty.api.views import ApiView, ListView
from loyalty.core.errors import Invalid
from loyalty.core.money import amount_text
from loyalty.core.tags import tag_key
from loyalty.core.values import check_amount, instant_text
from loyalty.store_settings.save import change_settings
from loyalty.store_settings.sections import StoreSettings, current_settings, settings_from_json, settings_to_json
from loyalty.stores.actors import actor_names
from loyalty.stores.keys import Scope
from loyalty.stores.models import SettingsVersion, Store

AUTO_CANCEL: Final = ("off", "cancel", "cancel_and_revert")
EXPIRED_LOTS: Final = ("all_or_nothing", "valid_only")
TRIGGER_STATUSES: Final = ("cancelled", "refunded", "partially_refunded")
_TEN_YEARS: Final = 3660
_RATES_BELOW: Final = 1_000_000
_FINEST_RATE: Final = Decimal("0.0001")
# Neither a comma nor what ends a line or cannot be seen; between its first and its last character there is one more.
_SHORTEST_TAG: Final = 3
_END: Final = r"[^\s\u0000-\u001f\u007f-\u009f,]"
_TAG: Final = rf"{_END}[^\u0000-\u001f\u007f-\u009f\u2028\u2029,]+{_END}"
_TAG_SENT: Final = rf"^\s*{_TAG}\s*$"
_RATE_TEXT: Final = r"^0{0,34}[0-9]{1,6}(\.[0-9]{1,4}0{0,36})?$"
_LEAP_YEAR: Final = 2024
ETAG: Final = OpenApiParameter(
    "ETag", str, OpenApiParameter.HEADER, description="The version, for If-Match.", response=[200]
)


def _choice(choices: Sequence[str]) -> serializers.ChoiceField:
    return serializers.ChoiceField(choices=list(choices), required=False)


class NamesField(serializers.ListField):
    """A list of texts, each once, trimmed."""

    def to_internal_value(self, data: Any) -> list[str]:
        """The texts. Raises ValidationError for one that is there twice."""
        names: list[str] = super().to_internal_value(data)
        if len({tag_key(name) for name in names}) < len(names):
            raise serializers.ValidationError("The list names something twice.", code="duplicate")
        return names


def _names(choices: Sequence[str] = ()) -> NamesField:
    child = serializers.ChoiceField(choices=list(choices)) if choices else TextField(max_length=255)
    return NamesField(child=child, max_length=100, required=False)


class MergedBody(Body):
    """Settings, which are merged into those that are saved (RFC 7396)."""

    null_is_default = True


class ExpiredLotsBody(MergedBody):
    """What expired lots mean for the others, by trigger (E4)."""

    payment_expired = _choice(EXPIRED_LOTS)
    payment_failed = _choice(EXPIRED_LOTS)
    rules = _choice(EXPIRED_LOTS)


class AutoCancelBody(MergedBody):
    """Orders whose payment expired or failed (E1, E2, F1)."""

    payment_window_hours = WholeNumberField(least=1, most=24 * 365, allow_null=True)
    failed_grace_minutes = WholeNumberField(most=60 * 24 * 30)
    expired = _choice(AUTO_CANCEL)
    failed = _choice(AUTO_CANCEL)
    expired_lots = ExpiredLotsBody(required=False)


class SpentRevertBody(MergedBody):
    """The spent-revert rules (N1, N3)."""

    enabled = YesNoField(required=False)
    statuses = _names(TRIGGER_STATUSES)
    tags = _names()
    skip_tags = _names()
    kinds = _names(("credits", "points"))
    delay_minutes = WholeNumberField(most=60 * 24 * 30)


class ExtendSettingsBody(MergedBody):
    """How far expired value may be extended (M3)."""

    default_days = WholeNumberField(least=1, most=_TEN_YEARS)
    max_days = WholeNumberField(least=1, most=_TEN_YEARS)


class PointsExpiryBody(MergedBody):
    """The scheme of points lots (L7)."""

    scheme = _choice(("never", "days", "yearly"))
    days = WholeNumberField(least=1, most=_TEN_YEARS)
    month = WholeNumberField(least=1, most=12)
    day = WholeNumberField(least=1, most=31)


class NotifyBody(MergedBody):
    """When customers are told (M5, H3)."""

    on_cancel_default = YesNoField(required=False)
    on_automatic = YesNoField(required=False)
    on_redemption_reversal_default = YesNoField(required=False)
    on_adjustment_default = YesNoField(
        required=False,
        help_text="Whether the back-office suggests telling customers what is given or removed by hand.",
    )


class RemindersBody(MergedBody):
    """Telling customers before value expires, so many days before its last day of use; null: never."""

    days_before = WholeNumberField(most=365, allow_null=True)


class LimitsBody(MergedBody):
    """How far support staff may adjust; null: not at all. How long a return can be undone."""

    support_adjust_credits = AmountField(required=False, allow_null=True)
    support_adjust_points = PointsField(required=False, allow_null=True)
    undo_hours = WholeNumberField(most=24 * 365)


class RateField(AmountField):
    """A rate greater than zero, six digits and four decimals at most; a number or a text, answered as the shorter."""

    default_error_messages = {"invalid": "This is a rate such as 1 or “0.5”.", "zero": "The rate must not be zero."}

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_zero=False, required=False, **options)

    def to_internal_value(self, data: Any) -> Decimal:
        """The rate."""
        rate = super().to_internal_value(data)
        if rate >= _RATES_BELOW:
            raise serializers.ValidationError(f"A rate is below {_RATES_BELOW}.", code="max_value")
        if rate != rate.quantize(_FINEST_RATE):
            raise serializers.ValidationError("A rate has four decimals at most.", code="too_fine")
        return rate

    def described(self) -> dict[str, Any]:
        """What it takes, for the schema."""
        text = {"type": "string", "pattern": _RATE_TEXT, "not": {"pattern": "^[0.]*$"}, "examples": ["0.5"]}
        number = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": _RATES_BELOW, "examples": [1]}
        return {"oneOf": [text, number]}


class EarningBody(MergedBody):
    """Points awarded for each unit of an order's total, once it is ``on_status``; null: orders earn nothing."""

    points_per_unit = RateField(allow_null=True)
    on_status = _choice(("confirmed", "completed", "paid"))


class EarnedPointsBody(MergedBody):
    """Points earned by an order that falls through (C1)."""

    claw_back = YesNoField(required=False)
    statuses = _names(TRIGGER_STATUSES)
    tags = _names()
    skip_tags = _names()
    allow_negative = YesNoField(required=False)
    carry_shortfall = YesNoField(
        required=False, help_text="Whether points that could not be taken back count against what is earned next."
    )


class PlatformTagField(Described, TextField):
    """A tag that every platform takes: 3 to 40 characters without a comma; null: none."""

    default_error_messages = {"invalid": "A tag has no comma and no line break."}

    def __init__(self) -> None:
        super().__init__(required=False, allow_null=True, min_length=_SHORTEST_TAG, max_length=40)

    def to_internal_value(self, data: Any) -> str:
        """The tag. Raises ValidationError for one with a comma, which platforms take for two."""
        tag: str = super().to_internal_value(data)
        if len(tag) >= _SHORTEST_TAG and not re.fullmatch(_TAG, tag):
            self.fail("invalid")
        return tag

    def described(self) -> dict[str, Any]:
        """What it takes, for the schema: white space around it is taken away."""
        return {"type": "string", "minLength": self.min_length, "maxLength": self.max_length, "pattern": _TAG_SENT}


class WriteBackBody(MergedBody):
    """What is told to the shop platform after the fact: a tag on orders whose value came back, and cancels (O6)."""

    tag = PlatformTagField()
    cancel_orders = YesNoField(required=False)
    return_credits_there = YesNoField(required=False)
    return_points_there = YesNoField(required=False)


class SettingsBody(MergedBody):
    """All settings; what is left out stays. ``version`` may name the one the change was made from, as If-Match does."""

    auto_cancel = AutoCancelBody(required=False)
    spent_revert = SpentRevertBody(required=False)
    extend = ExtendSettingsBody(required=False)
    points_expiry = PointsExpiryBody(required=False)
    notify = NotifyBody(required=False)
    reminders = RemindersBody(required=False)
    limits = LimitsBody(required=False)
    earning = EarningBody(required=False)
    earned_points = EarnedPointsBody(required=False)
    write_back = WriteBackBody(required=False)
    version = WholeNumberField(most=2**31 - 1)


class _VersionBody(Body):
    """The version alone, which is no setting."""

    version = WholeNumberField(most=2**31 - 1, allow_null=True)


class SettingsVersionDocument(Document):
    """One saved version."""

    version = PointsField()
    created_at = InstantField()
    actor = ActorDocument()
    settings = SettingsBody()


class SettingsView(ApiView):
    """The store's settings."""

    required_scopes: ClassVar = {"GET": Scope.SETTINGS_READ, "PATCH": Scope.SETTINGS_WRITE}

    @extend_schema(parameters=[ETAG], responses=SettingsBody)
    def get(self, _request: Request) -> Response:
        """The settings that govern the store now."""
        return self._answer(current_settings(self.store))

    @extend_schema(parameters=[IF_MATCH, ETAG], request=SettingsBody, responses=SettingsBody)
    def patch(self, request: Request) -> Response:
        """Change settings: merged by key (RFC 7396), lists as a whole; null brings a default back."""
        patch = request.data
        if not isinstance(patch, Mapping):
            raise Invalid.at("", "The body is an object with the settings to be changed.")
        expected = expected_version(request)
        after = change_settings(
            store=self.store,
            patch={name: value for name, value in patch.items() if name != "version"},
            check=partial(check_settings, store=self.store),
            version=_version_in(patch) if expected is None else expected,
            actor=self.actor,
            now=self.now,
        )
        return self._answer(after)

    def _answer(self, settings: StoreSettings) -> Response:
        return Response(settings_json(settings, self.store), headers={"ETag": etag(settings.version)})


class SettingsVersionsView(ListView):
    """Who changed which settings, and when."""

    required_scopes: ClassVar = {"GET": Scope.SETTINGS_READ}

    @extend_schema(responses=SettingsVersionDocument(many=True))
    def get(self, _request: Request) -> Response:
        """Every saved version, newest first."""
        return self.list(SettingsVersion.objects.for_store(self.store))

    def present(self, rows: Sequence[Any]) -> Sequence[Any]:
        """Versions as JSON."""
        names = actor_names(row.actor for row in rows)
        return [
            {
                "version": row.version,
                "created_at": instant_text(row.created_at),
                "actor": actor_json(row.actor, names[row.actor]),
                "settings": settings_json(settings_from_json(row.data, version=row.version), self.store),
            }
            for row in rows
        ]


def _version_in(patch: Mapping[str, Any]) -> int | None:
    """The version that the change was made from, if it says so. Raises ValidationError."""
    body = _VersionBody(data={"version": patch.get("version")})
    body.is_valid(raise_exception=True)
    version: int | None = body.validated_data["version"]
    return version


def settings_json(settings: StoreSettings, store: Store) -> dict[str, Any]:
    """The settings as JSON, amounts in the store's currency."""
    data = settings_to_json(settings)
    limit = settings.limits.support_adjust_credits
    data["limits"]["support_adjust_credits"] = None if limit is None else amount_text(limit, store.currency)
    rate = settings.earning.points_per_unit
    data["earning"]["points_per_unit"] = None if rate is None else _rate(rate)
    return data


def _rate(rate: Decimal) -> int | str:
    return int(rate) if rate == rate.to_integral_value() else f"{rate.normalize():f}"


def check_settings(merged: dict[str, Any], *, store: Store) -> Mapping[str, Any]:
    """The settings in ``merged``, clean, for :func:`change_settings`; what it does not name has its default.

    Raises Invalid, or the REST framework's ValidationError, naming the field that is wrong.
    """
    body = SettingsBody(data=merged)
    body.is_valid(raise_exception=True)
    values: dict[str, Any] = body.validated_data
    limits = values.get("limits", {})
    if limits.get("support_adjust_credits") is not None:
        pointer = "/limits/support_adjust_credits"
        limits["support_adjust_credits"] = check_amount(limits["support_adjust_credits"], store.currency, pointer)
    _check_together(settings_from_json(values, version=0))
    return values


def _check_together(settings: StoreSettings) -> None:
    if settings.extend.default_days > settings.extend.max_days:
        raise Invalid.at("/extend/default_days", "The default is more than the maximum.", code="does-not-fit")
    tag = settings.write_back.tag
    if tag and tag_key(tag) in {tag_key(trigger) for trigger in settings.spent_revert.tags}:
        words = f"“{tag}” is a tag that returns value; what marks a return must not cause one."
        raise Invalid.at("/write_back/tag", words, code="does-not-fit")
    if tag and tag_key(tag) in {tag_key(trigger) for trigger in settings.earned_points.tags}:
        words = f"“{tag}” is a tag that takes earned points back; what marks a return must not do that."
        raise Invalid.at("/write_back/tag", words, code="does-not-fit")
    expiry = settings.points_expiry
    if expiry.day > calendar.monthrange(_LEAP_YEAR, expiry.month)[1]:
        raise Invalid.at("/points_expiry/day", "The month has no such day.", code="does-not-fit")
