"""Redemptions: exchanging points, reversing that, asking for it, and what a code is worth."""

from collections.abc import Sequence
from typing import Any, ClassVar, Final

from django.db.models import Exists, OuterRef, QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from loyalty.api.answers.problems import Problem
from loyalty.api.idempotency import command
from loyalty.api.requests.filters import (
    CustomerFilter,
    Filters,
    IdFilter,
    InstantFilter,
    ListFilter,
    TextFilter,
    YesNoFilter,
)
from loyalty.api.values import Body, DayField, IdField, TextField, WholeNumberField, YesNoField
from loyalty.api.views import ApiView, ListView
from loyalty.core.errors import NotFound
from loyalty.store_settings.sections import current_settings
from loyalty.stores.actors import Trigger
from loyalty.stores.keys import Scope, allows_scope
from orders.api.bodies import FURTHEST_EXTENSION, ExtensionBody
from orders.api.redemptions.documents import (
    CodeDocument,
    RedemptionDocument,
    RequestDocument,
    ReversalPlanDocument,
    ReversedDocument,
    code_json,
    newest_requests,
    redemption_json,
    request_json,
    reversal_plan_json,
    reversed_json,
)
from orders.models import PlatformState, Redemption, RedemptionState, RequestState, ReversalRequest
from orders.services.codes.on_platform import Asked, ask_platform
from orders.services.redemptions.plans import ReversalPreview, preview_reversal
from orders.services.redemptions.redeem import redeem
from orders.services.redemptions.requests import request_reversal
from orders.services.redemptions.reverse import ReversalAsk, ReversalStale, reverse_redemption
from orders.services.reverts.choices import Extension

_LONGEST_TOKEN: Final = 100_000


class RedemptionBody(Body):
    """Who redeems what."""

    customer = IdField()
    reward = IdField()


class ExtendPointsBody(Body):
    """Until when expired points come back: all of them (`days` or `expires_on`, or `points`), or single allocations."""

    days = WholeNumberField(least=1, most=FURTHEST_EXTENSION)
    expires_on = DayField(required=False)
    points = ExtensionBody(required=False)
    between_fields = {
        "not": {
            "anyOf": [
                {"required": ["days", "expires_on"]},
                {"required": ["days", "points"]},
                {"required": ["expires_on", "points"]},
            ]
        }
    }
    allocations = serializers.DictField(child=ExtensionBody(), required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """At most one way of saying it for all."""
        ways = [name for name in ("days", "expires_on", "points") if name in attrs]
        if len(ways) > 1:
            raise serializers.ValidationError("Say one of “days”, “expires_on” and “points”.", code="invalid")
        return attrs


class ReverseBody(Body):
    """A reversal; a used code needs `force` and a reason."""

    reason = TextField(max_length=200, required=False)
    note = TextField(max_length=2000, allow_blank=True, required=False)
    extend = ExtendPointsBody(required=False)
    notify_customer = YesNoField(required=False)
    force = YesNoField(required=False)
    preview_token = TextField(max_length=_LONGEST_TOKEN, required=False)


class RequestBody(Body):
    """What the customer says."""

    reason = TextField(max_length=200)


class RedemptionFilters(Filters):
    """The filters of the list of redemptions."""

    state = ListFilter("state", values=RedemptionState.values, help_text="What has become of it.")
    platform_state = ListFilter(
        "platform_state", values=PlatformState.values, help_text="Whether the platform has what it was last told."
    )
    customer = CustomerFilter(field_name="customer_id", help_text="Of the customer with this id.")
    reward = IdFilter(field_name="reward_id", help_text="Of the reward with this id.")
    code = TextFilter(field_name="code", lookup_expr="iexact", help_text="With this code.")
    requested = YesNoFilter(method="whether_requested", help_text="Whether a request for its reversal is open.")
    created_after = InstantFilter(field_name="created_at", lookup_expr="gte", help_text="Redeemed then or later.")
    created_before = InstantFilter(field_name="created_at", lookup_expr="lt", help_text="Redeemed before then.")

    def whether_requested(self, rows: "QuerySet[Any]", _name: str, value: bool) -> "QuerySet[Any]":
        """Redemptions with an open request, or without."""
        store = self.request.parser_context["view"].store
        waiting = ReversalRequest.objects.for_store(store).filter(redemption=OuterRef("pk"), state=RequestState.OPEN)
        return rows.filter(Exists(waiting) if value else ~Exists(waiting))


class RedemptionListView(ListView):
    """The store's redemptions."""

    required_scopes: ClassVar = {"GET": Scope.REDEMPTIONS_READ, "POST": Scope.REDEMPTIONS_WRITE}
    filterset_class = RedemptionFilters

    @extend_schema(responses=RedemptionDocument(many=True))
    def get(self, _request: Request) -> Response:
        """The redemptions, newest first."""
        return self.list(Redemption.objects.for_store(self.store))

    @extend_schema(request=RedemptionBody, responses={201: OpenApiResponse(RedemptionDocument, "The redemption.")})
    @command
    def post(self, request: Request) -> Response:
        """Exchange a customer's points for a reward.

        On a connected platform the code can be used once `platform_state` is `confirmed`.
        """
        values = self.read(RedemptionBody)
        made = redeem(
            store=self.store,
            customer_id=values["customer"],
            reward_id=values["reward"],
            actor=self.actor,
            trigger=Trigger.API,
            now=self.now,
        )
        address = reverse("api-redemption", args=[made.pk], request=request)
        body = redemption_json(made, None, store=self.store, now=self.now)
        return Response(body, status=201, headers={"Location": address})

    def present(self, rows: Sequence[Any]) -> Sequence[Any]:
        """Redemptions as JSON; one query more."""
        requests = newest_requests(rows, self.store)
        return [redemption_json(row, requests.get(row.pk), store=self.store, now=self.now) for row in rows]


class _OneView(ApiView):
    """What the addresses of one redemption have in common."""

    def redemption(self, text: str) -> Redemption:
        """The redemption in the address. Raises NotFound (T1)."""
        rows = Redemption.objects.for_store(self.store).select_related("customer")
        found: Redemption | None = rows.filter(pk=self.key_of(text)).first()
        if found is None:
            raise NotFound(f"This store has no redemption with the id {text}.")
        found.store = self.store
        return found

    def newest_request(self, redemption: Redemption) -> ReversalRequest | None:
        """The newest request for its reversal."""
        return newest_requests([redemption], self.store).get(redemption.pk)

    def plan(self, shown: ReversalPreview) -> dict[str, Any]:
        """The plan as JSON; balances only for a key that may read the ledger."""
        request = self.newest_request(shown.plan.redemption)
        balances = allows_scope(self.api_key, Scope.LEDGER_READ)
        return reversal_plan_json(shown, request, store=self.store, now=self.now, balances=balances)


class RedemptionView(_OneView):
    """One redemption."""

    required_scopes: ClassVar = {"GET": Scope.REDEMPTIONS_READ}

    @extend_schema(responses=RedemptionDocument)
    def get(self, _request: Request, redemption_id: str) -> Response:
        """One redemption."""
        found = self.redemption(redemption_id)
        return Response(redemption_json(found, self.newest_request(found), store=self.store, now=self.now))


class ReversalPreviewView(_OneView):
    """What a reversal would do."""

    required_scopes: ClassVar = {"POST": Scope.REDEMPTIONS_READ}

    @extend_schema(request=ReverseBody, responses=ReversalPlanDocument)
    def post(self, _request: Request, redemption_id: str) -> Response:
        """What reversing would do; writes nothing.

        `preview_token` makes a later reversal do exactly this, or refuse.
        """
        found, ask = self.redemption(redemption_id), _ask(self.read(ReverseBody))
        settings = current_settings(self.store)
        return Response(
            self.plan(preview_reversal(found, ask.choice, store=self.store, settings=settings, now=self.now))
        )


class ReverseView(_OneView):
    """Reversing a redemption."""

    required_scopes: ClassVar = {"POST": Scope.REDEMPTIONS_REVERSE}
    asked: Asked

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Before the command's transaction begins: ask the platform whether the code was used (R3)."""
        super().initial(request, *args, **kwargs)
        self.asked = ask_platform(self.redemption(kwargs["redemption_id"]), now=self.now)

    @extend_schema(request=ReverseBody, responses=ReversedDocument)
    @command
    def post(self, _request: Request, redemption_id: str) -> Response:
        """Reverse it in one step: the code is dead, the points are back in the lots they came from.

        A repeat changes nothing and answers the redemption as it is. A platform that cannot be asked whether the code
        was used (`platform_asked`) is no obstacle: an order that comes with the code is flagged for staff.
        """
        values = self.read(ReverseBody)
        try:
            done = reverse_redemption(
                store=self.store,
                redemption_id=self.key_of(redemption_id),
                ask=_ask(values),
                token=values.get("preview_token"),
                asked=self.asked,
                actor=self.actor,
                trigger=Trigger.API,
                now=self.now,
            )
        except ReversalStale as error:
            raise Problem.of(error, members={"plan": self.plan(error.preview)}) from error
        request = self.newest_request(done.redemption)
        return Response(reversed_json(done, request, self.asked, store=self.store, now=self.now))


class RequestReversalView(_OneView):
    """A customer's wish."""

    required_scopes: ClassVar = {"POST": Scope.REDEMPTIONS_WRITE}

    @extend_schema(request=RequestBody, responses={201: OpenApiResponse(RequestDocument, "The request that is open.")})
    @command
    def post(self, _request: Request, redemption_id: str) -> Response:
        """Record that the customer asks for a reversal; only staff carry it out (R5)."""
        asked = request_reversal(
            store=self.store,
            redemption_id=self.key_of(redemption_id),
            reason=self.read(RequestBody)["reason"],
            actor=self.actor,
            now=self.now,
        )
        return Response(request_json(asked), status=201)


class CodeView(ApiView):
    """A discount code."""

    required_scopes: ClassVar = {"GET": Scope.REDEMPTIONS_READ}

    @extend_schema(responses=CodeDocument)
    def get(self, _request: Request, code: str) -> Response:
        """Whether the code may be used now, what it is worth and until when; capitals or not makes no difference."""
        rows = Redemption.objects.for_store(self.store)
        found: Redemption | None = rows.filter(code=code.strip().upper()).first()
        if found is None:
            raise NotFound("This store has no such code.")
        return Response(code_json(found, store=self.store, now=self.now))


def _ask(values: dict[str, Any]) -> ReversalAsk:
    extend: dict[str, Any] = values.get("extend", {})
    whole: Extension | None = extend.get("points")
    if "days" in extend or "expires_on" in extend:
        whole = Extension(days=extend.get("days"), expires_on=extend.get("expires_on"))
    return ReversalAsk(
        extend=whole,
        extend_allocations=extend.get("allocations", {}),
        notify_customer=values.get("notify_customer"),
        reason=values.get("reason", ""),
        note=values.get("note", ""),
        force=values.get("force", False),
    )
