"""Rewards: what the store gives for points."""

from collections.abc import Sequence
from typing import Any, ClassVar, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from loyalty.api.idempotency import command
from loyalty.api.requests.filters import ChoiceFilter, Filters, YesNoFilter
from loyalty.api.values import AmountField, Body, CurrencyField, PointsField, TextField, WholeNumberField, YesNoField
from loyalty.api.views import ApiView, ListView
from loyalty.core.errors import Invalid
from loyalty.core.money import is_currency
from loyalty.core.values import check_amount
from loyalty.stores.keys import Scope
from loyalty.stores.models import Store
from orders.api.redemptions.documents import RewardDocument, reward_json
from orders.models import Reward, RewardType
from orders.services.redemptions.rewards import MOST_DAYS, RewardTerms, change_reward, create_reward

_MOST_REDEMPTIONS: Final = 2**31 - 1
_TERMS: Final = ("name", "points", "type", "value", "currency", "valid_days", "limit_per_customer", "active")


class RewardBody(Body):
    """A reward; ``valid_days`` null: what is given never expires."""

    name = TextField(max_length=100)
    points = PointsField(allow_zero=False)
    type = serializers.ChoiceField(choices=RewardType.choices)
    value = AmountField(allow_zero=False)
    currency = CurrencyField(required=False, allow_null=True)
    valid_days = WholeNumberField(least=1, most=MOST_DAYS, allow_null=True)
    limit_per_customer = WholeNumberField(least=1, most=_MOST_REDEMPTIONS, allow_null=True)
    active = YesNoField(required=False)


class RewardFilters(Filters):
    """The filters of the list of rewards."""

    active = YesNoFilter("active", help_text="Whether it is offered.")
    type = ChoiceFilter("type", values=RewardType.values, help_text="What is given.")


class RewardListView(ListView):
    """The store's rewards."""

    required_scopes: ClassVar = {"GET": Scope.REDEMPTIONS_READ, "POST": Scope.SETTINGS_WRITE}
    filterset_class = RewardFilters

    @extend_schema(responses=RewardDocument(many=True))
    def get(self, _request: Request) -> Response:
        """The rewards, newest first."""
        return self.list(Reward.objects.for_store(self.store))

    @command(body=RewardBody, answer={201: OpenApiResponse(RewardDocument, "The new reward.")})
    def post(self, request: Request) -> Response:
        """Offer a reward. Without `currency` its value is in the store's; a percentage has none."""
        terms = _terms(self.read(RewardBody), self.store)
        reward = create_reward(store=self.store, terms=terms, actor=self.actor, now=self.now)
        address = reverse("api-reward", args=[reward.pk], request=request)
        return Response(reward_json(reward), status=201, headers={"Location": address})

    def present(self, rows: Sequence[Any]) -> Sequence[Any]:
        """Rewards as JSON."""
        return [reward_json(row) for row in rows]


class RewardView(ApiView):
    """One reward."""

    required_scopes: ClassVar = {"GET": Scope.REDEMPTIONS_READ, "PATCH": Scope.SETTINGS_WRITE}

    @extend_schema(responses=RewardDocument)
    def get(self, _request: Request, reward_id: str) -> Response:
        """One reward."""
        return Response(reward_json(self._reward(reward_id)))

    @extend_schema(request=RewardBody, responses=RewardDocument)
    def patch(self, _request: Request, reward_id: str) -> Response:
        """Change a reward: its terms, or with `active` whether it is offered; what was redeemed stays."""
        reward = self._reward(reward_id)
        known: dict[str, Any] = {name: getattr(reward, name) for name in _TERMS}
        values = known | self.read(RewardBody, partial=True)
        terms = _terms(values, self.store)
        changed = change_reward(store=self.store, reward_id=reward.pk, terms=terms, actor=self.actor, now=self.now)
        return Response(reward_json(changed))

    def _reward(self, text: str) -> Reward:
        reward: Reward = self.find(
            Reward.objects.for_store(self.store), text, gettext_noop("This store has no reward with the id %(id)s.")
        )
        return reward


def _terms(values: dict[str, Any], store: Store) -> RewardTerms:
    currency: str = values.get("currency") or ""
    if values["type"] != RewardType.PERCENTAGE:
        currency = currency or store.currency
        if not is_currency(currency):
            raise Invalid.at("/currency", _("This is not a currency code such as USD."), code="unknown-currency")
        values = values | {"value": check_amount(values["value"], currency, "/value")}
    return RewardTerms(**(values | {"currency": currency}))
