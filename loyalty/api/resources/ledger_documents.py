"""Lots and movements of both kinds, as answers show them; members stand in the order of a document's bases."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from drf_spectacular.utils import PolymorphicProxySerializer
from rest_framework import serializers

from loyalty.api.answers.documents import JSON, ActorDocument, Document, actor_json
from loyalty.api.values import AmountTextField, DayField, IdField, InstantField, PointsField
from loyalty.core.days import is_expired, last_day_of_use
from loyalty.core.values import day_or_none, value_json
from loyalty.ledger.history import balance_of
from loyalty.ledger.models import AbstractLot, AbstractMovement, MovementType, Origin
from loyalty.stores.actors import actor_names
from loyalty.stores.models import Store


class _CreditsGranted(Document):
    id = IdField()
    granted = AmountTextField()
    remaining = AmountTextField()
    currency = serializers.CharField()


class _PointsGranted(Document):
    id = IdField()
    granted = PointsField()
    remaining = PointsField()


class _Lot(Document):
    granted_at = InstantField()
    expires_on = DayField(allow_null=True)
    expires_at = InstantField(allow_null=True)
    origin = serializers.ChoiceField(choices=Origin.choices)
    expired = serializers.BooleanField()
    extended_from = IdField(allow_null=True, source="extended_from_id")


class CreditLotDocument(_CreditsGranted, _Lot):
    """Store credit granted at one moment."""


class PointLotDocument(_PointsGranted, _Lot):
    """Points granted at one moment."""


class _OfCustomer(Document):
    customer = IdField(source="customer_id")


class StoreCreditLotDocument(_OfCustomer, CreditLotDocument):
    """A lot among those of all customers."""


class StorePointLotDocument(_OfCustomer, PointLotDocument):
    """A lot among those of all customers."""


def lot_json(lot: AbstractLot, store: Store, now: datetime, *, of_all: bool = False) -> JSON:
    """One lot, among those ``of_all`` customers with the id of its own.

    Lapsed lots are marked by the clock, whether or not a job has posted it (L2).
    """
    document = _LOTS[bool(lot.currency), of_all]
    last_day = last_day_of_use(lot.expires_at, store.tz)
    return document.of(lot, expires_on=day_or_none(last_day), expired=is_expired(lot.expires_at, now))


# By whether it has a currency, and whether it is one of all customers'.
_LOTS: Final[Mapping[tuple[bool, bool], type[Document]]] = {
    (True, False): CreditLotDocument,
    (False, False): PointLotDocument,
    (True, True): StoreCreditLotDocument,
    (False, True): StorePointLotDocument,
}


class _CreditsMoved(Document):
    id = IdField()
    type = serializers.ChoiceField(choices=MovementType.choices)
    amount = AmountTextField()
    balance_after = AmountTextField()
    currency = serializers.CharField()


class _PointsMoved(Document):
    id = IdField()
    type = serializers.ChoiceField(choices=MovementType.choices)
    amount = PointsField()
    balance_after = PointsField()


class _Movement(Document):
    lot = IdField(
        allow_null=True, source="lot_id", help_text="Null for points that are owed, and for what settles them."
    )
    order = IdField(allow_null=True, source="order_id")
    redemption = IdField(allow_null=True, source="redemption_id")
    revert = IdField(allow_null=True, source="revert_id")
    actor = ActorDocument()
    reason = serializers.CharField(allow_blank=True)
    expires_on = DayField(allow_null=True)
    created_at = InstantField()


class CreditMovementDocument(_CreditsMoved, _Movement):
    """One row of the store-credit history."""


class PointMovementDocument(_PointsMoved, _Movement):
    """One row of the member-points history."""


def movements_json(movements: Sequence[AbstractMovement], store: Store) -> list[JSON]:
    """Movements with their actors' names: at most two queries more, whatever their number."""
    names = actor_names(movement.actor for movement in movements)
    return [_movement_json(movement, store, names[movement.actor]) for movement in movements]


def _movement_json(movement: Any, store: Store, actor: str) -> JSON:
    document = CreditMovementDocument if movement.currency else PointMovementDocument
    return document.of(
        movement,
        balance_after=value_json(balance_of(movement), movement.currency),
        actor=actor_json(movement.actor, actor),
        reason=movement.remark.reason if movement.remark else "",
        expires_on=day_or_none(last_day_of_use(movement.lot and movement.lot.expires_at, store.tz)),
    )


def given_or_removed(lot: type[_Lot], movement: type[_Movement]) -> PolymorphicProxySerializer:
    """What an adjustment answers: the lot that was given, or the movements of what was removed."""
    return PolymorphicProxySerializer(
        component_name=lot.__name__.replace("LotDocument", "Adjusted"),
        serializers=[lot, movement(many=True)],
        resource_type_field_name=None,
        many=False,
    )
