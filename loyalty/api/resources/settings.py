"""A store's settings over REST."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from decimal import Decimal
from typing import Any, ClassVar, Final, Literal, get_args, get_origin, get_type_hints

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from loyalty.api.answers.documents import ActorDocument, Document, actor_json
from loyalty.api.openapi.schema import IF_MATCH
from loyalty.api.requests.etags import expected_version, versioned
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
from loyalty.core.values import MAX_DIGITS
from loyalty.store_settings import letterhead, sections, words
from loyalty.store_settings.facts import LONGEST_NAME, MOST_NAMES, Facts, facts_by_name, is_nullable
from loyalty.store_settings.save import change_settings
from loyalty.store_settings.sections import StoreSettings, current_settings, settings_from_json, settings_to_json
from loyalty.stores.actors import actor_names
from loyalty.stores.keys import Scope
from loyalty.stores.models import SettingsVersion, Store

# What the schema names these choices by.
AUTO_CANCEL: Final = get_args(sections.AutoCancel)
EXPIRED_LOTS: Final = get_args(sections.ExpiredLots)
_RATE_TEXT: Final = r"^0{0,34}[0-9]{1,6}(\.[0-9]{1,4}0{0,36})?$"
ETAG: Final = OpenApiParameter(
    "ETag", str, OpenApiParameter.HEADER, description="The version, for If-Match.", response=[200]
)


class NamesField(serializers.ListField):
    """A list of texts, each once, trimmed."""

    def to_internal_value(self, data: Any) -> list[str]:
        """The texts. Raises ValidationError for one that is there twice."""
        names: list[str] = super().to_internal_value(data)
        if len({tag_key(name) for name in names}) < len(names):
            raise serializers.ValidationError(_("The list names something twice."), code="duplicate")
        return names


class RateField(AmountField):
    """A rate greater than zero, six digits and four decimals at most; a number or a text, answered as the shorter."""

    default_error_messages = {
        "invalid": gettext_lazy("This is a rate such as 1 or “0.5”."),
        "zero": gettext_lazy("The rate must not be zero."),
    }

    def __init__(self, *, below: int, finest: Decimal, **options: Any) -> None:
        super().__init__(allow_zero=False, **options)
        self.below, self.finest = below, finest

    def to_internal_value(self, data: Any) -> Decimal:
        """The rate."""
        rate = super().to_internal_value(data)
        if rate >= self.below:
            raise serializers.ValidationError(_("A rate is below %(below)s.") % {"below": self.below}, code="max_value")
        if rate != rate.quantize(self.finest):
            raise serializers.ValidationError(_("A rate has four decimals at most."), code="too_fine")
        return rate

    def described(self) -> dict[str, Any]:
        """What it takes, for the schema."""
        text = {"type": "string", "pattern": _RATE_TEXT, "not": {"pattern": "^[0.]*$"}, "examples": ["0.5"]}
        number = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": self.below, "examples": [1]}
        return {"oneOf": [text, number]}


class PatternField(Described, TextField):
    """A text of a length that fits a pattern, such as a tag that every platform takes; null, where it may be: none."""

    def __init__(self, *, facts: Facts, **options: Any) -> None:
        super().__init__(min_length=facts.shortest, max_length=facts.longest, allow_blank=not facts.shortest, **options)
        self.facts = facts

    def to_internal_value(self, data: Any) -> str:
        """The text. Raises ValidationError for one that does not fit."""
        text: str = super().to_internal_value(data)
        if len(text) >= self.facts.shortest and not re.fullmatch(self.facts.pattern, text):
            raise serializers.ValidationError(_(self.facts.mistake), code="invalid")
        return text

    def described(self) -> dict[str, Any]:
        """What it takes, for the schema: white space around it is taken away."""
        sent = rf"^\s*{self.facts.pattern}\s*$"
        text = {"type": "string", "minLength": self.min_length, "maxLength": self.max_length, "pattern": sent}
        return {"anyOf": [text, {"type": "string", "const": ""}]} if self.allow_blank else text


class MergedBody(Body):
    """Settings, which are merged into those that are saved (RFC 7396): a field for each of the ``section``."""

    null_is_default = True
    section: ClassVar[Any] = None

    def get_fields(self) -> dict[str, Any]:
        """The section's settings as their types and facts have it, then what a body has beside them."""
        hints = get_type_hints(self.section) if self.section else {}
        facts = facts_by_name(self.section) if self.section else {}
        return {**{name: _field(hint, facts[name]) for name, hint in hints.items()}, **super().get_fields()}


def _field(hint: Any, facts: Facts) -> Any:
    """What takes and describes one setting in JSON."""
    options: dict[str, Any] = {"required": False, "help_text": facts.words or None}
    if is_nullable(hint):
        options["allow_null"], hint = True, get_args(hint)[0]
    kind = get_origin(hint) or hint
    make: Any = PatternField
    if is_dataclass(hint):
        make = _BODIES[hint]
    elif kind is Literal:
        make, options["choices"] = serializers.ChoiceField, list(get_args(hint))
    elif kind is tuple:
        choices = list(facts.choices)
        child = serializers.ChoiceField(choices=choices) if choices else TextField(max_length=LONGEST_NAME)
        make, options = NamesField, options | {"child": child, "max_length": MOST_NAMES}
    elif kind is bool:
        make = YesNoField
    elif kind is int:
        make, options = WholeNumberField, options | {"least": facts.least, "most": facts.most or 10**MAX_DIGITS - 1}
    elif kind is Decimal and facts.below is None:
        make = AmountField
    elif kind is Decimal:
        make, options = RateField, options | {"below": facts.below, "finest": facts.finest}
    else:
        options["facts"] = facts
    return make(**options)


class ExpiredLotsBody(MergedBody):
    """What expired lots mean for the others, by trigger (E4)."""

    section = sections.ExpiredLotsSettings


class AutoCancelBody(MergedBody):
    """Orders whose payment expired or failed (E1, E2, F1)."""

    section = sections.AutoCancelSettings


class SpentRevertBody(MergedBody):
    """The spent-revert rules (N1, N3)."""

    section = sections.SpentRevertSettings


class ExtendSettingsBody(MergedBody):
    """How far expired value may be extended (M3)."""

    section = sections.ExtendSettings


class PointsExpiryBody(MergedBody):
    """The scheme of points lots (L7)."""

    section = sections.PointsExpirySettings


class NotifyBody(MergedBody):
    """When customers are told (M5, H3)."""

    section = sections.NotifySettings


class RemindersBody(MergedBody):
    """Telling customers before value expires, so many days before its last day of use; null: never."""

    section = sections.ReminderSettings


class LimitsBody(MergedBody):
    """How far support staff may adjust; null: not at all. How long a return can be undone."""

    section = sections.LimitSettings


class EarningBody(MergedBody):
    """Points awarded for each unit of an order's total, once it is ``on_status``; null: orders earn nothing."""

    section = sections.EarningSettings


class EarnedPointsBody(MergedBody):
    """Points earned by an order that falls through (C1)."""

    section = sections.EarnedPointsSettings


class WriteBackBody(MergedBody):
    """What is told to the shop platform after the fact: a tag on orders whose value came back, and cancels (O6)."""

    section = sections.WriteBackSettings


class LetterWordsBody(MergedBody):
    """What a store says otherwise in one kind of letter; empty, or null: ours. Placeholders stand in braces."""

    section = words.LetterWords


class LanguageWordsBody(MergedBody):
    """The words of a store in one language: its names for credits and points, and what each kind of letter says."""

    section = words.LanguageWords


class WordsBody(MergedBody):
    """The words of a store, in each language."""

    section = words.WordsSettings


class LetterheadBody(MergedBody):
    """Whom letters are from, where answers go, and their colour; empty, or null: ours."""

    section = letterhead.LetterheadSettings


class SettingsBody(MergedBody):
    """All settings; what is left out stays. ``version`` may name the one the change was made from, as If-Match does."""

    section = sections.StoreSettings
    version = WholeNumberField(most=2**31 - 1)


_BODIES: Final[Mapping[Any, type[MergedBody]]] = {kind.section: kind for kind in MergedBody.__subclasses__()}


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
        """The settings: those that govern the store now."""
        return self._answer(current_settings(self.store))

    @extend_schema(parameters=[IF_MATCH, ETAG], request=SettingsBody, responses=SettingsBody)
    def patch(self, request: Request) -> Response:
        """Change settings: merged by key (RFC 7396), lists as a whole; null brings a default back."""
        patch = request.data
        if not isinstance(patch, Mapping):
            raise Invalid.at("", _("The body is an object with the settings to be changed."))
        expected = expected_version(request)
        after = change_settings(
            store=self.store,
            patch={name: value for name, value in patch.items() if name != "version"},
            check=_read,
            version=_version_in(patch) if expected is None else expected,
            actor=self.actor,
            now=self.now,
        )
        return self._answer(after)

    def _answer(self, settings: StoreSettings) -> Response:
        return versioned(settings_json(settings, self.store), settings.version)


class SettingsVersionsView(ListView):
    """Who changed which settings, and when."""

    required_scopes: ClassVar = {"GET": Scope.SETTINGS_READ}

    @extend_schema(responses=SettingsVersionDocument(many=True))
    def get(self, _request: Request) -> Response:
        """Versions of the settings, newest first."""
        return self.list(SettingsVersion.objects.for_store(self.store))

    def present(self, rows: Sequence[Any]) -> Sequence[Any]:
        """Versions as JSON."""
        names = actor_names(row.actor for row in rows)
        return [
            SettingsVersionDocument.of(
                row,
                actor=actor_json(row.actor, names[row.actor]),
                settings=settings_json(settings_from_json(row.data, version=row.version), self.store),
            )
            for row in rows
        ]


def _read(merged: dict[str, Any]) -> Mapping[str, Any]:
    """The settings in ``merged``, clean; what it does not name has its default. Raises ValidationError."""
    body = SettingsBody(data=merged)
    body.is_valid(raise_exception=True)
    values: Mapping[str, Any] = body.validated_data
    return values


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
