"""Redemptions: exchanging points, reversing that, asking for it, and what a code is worth."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from loyalty.api.answers.problems import Problem
from loyalty.api.idempotency import command
from loyalty.api.views import ApiView, ListView
from loyalty.core.errors import NotFound
from loyalty.store_settings.sections import current_settings
from loyalty.stores.keys import Scope, allows_scope
from orders.api.redemptions.bodies import RedemptionBody, RequestBody, ReverseBody, ask_of
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
from orders.api.redemptions.filters import RedemptionFilters
from orders.models import Redemption, ReversalRequest
from orders.services.codes.on_platform import Asked, whether_used
from orders.services.redemptions.plans import ReversalPreview, preview_reversal
from orders.services.redemptions.redeem import redeem
from orders.services.redemptions.requests import request_reversal
from orders.services.redemptions.reverse import ReversalStale, reverse_redemption


class RedemptionListView(ListView):
    """The store's redemptions."""

    required_scopes: ClassVar = {"GET": Scope.REDEMPTIONS_READ, "POST": Scope.REDEMPTIONS_WRITE}
    filterset_class = RedemptionFilters

    @extend_schema(responses=RedemptionDocument(many=True))
    def get(self, _request: Request) -> Response:
        """The redemptions, newest first."""
        return self.list(Redemption.objects.for_store(self.store))

    @command(body=RedemptionBody, answer={201: OpenApiResponse(RedemptionDocument, "The redemption.")})
    def post(self, request: Request) -> Response:
        """Exchange a customer's points for a reward.

        On a connected platform the code can be used once `platform_state` is `confirmed`.
        """
        values = self.read(RedemptionBody)
        made = redeem(
            store=self.store,
            customer_id=values["customer"],
            reward_id=values["reward"],
            act=self.act,
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
        found: Redemption = self.find(rows, text, gettext_noop("This store has no redemption with the id %(id)s."))
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
        """Preview a reversal: what it would do; writes nothing.

        `preview_token` makes a later reversal do exactly this, or refuse.
        """
        found, ask = self.redemption(redemption_id), ask_of(self.read(ReverseBody))
        settings = current_settings(self.store)
        return Response(
            self.plan(preview_reversal(found, ask.choice, store=self.store, settings=settings, now=self.now))
        )


class ReverseView(_OneView):
    """Reversing a redemption."""

    required_scopes: ClassVar = {"POST": Scope.REDEMPTIONS_REVERSE}
    asked: Asked

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Before the command's transaction begins: have the platform asked whether the code was used (R3)."""
        super().initial(request, *args, **kwargs)
        self.asked = whether_used(self.redemption(kwargs["redemption_id"]), now=self.now)

    @command(body=ReverseBody, answer=ReversedDocument)
    def post(self, _request: Request, redemption_id: str) -> Response:
        """Reverse a redemption in one step: the code is dead, the points are back in the lots they came from.

        A repeat changes nothing and answers the redemption as it is. A platform that cannot be asked whether the code
        was used (`platform_asked`) is no obstacle: an order that comes with the code is flagged for staff.
        """
        values = self.read(ReverseBody)
        try:
            done = reverse_redemption(
                store=self.store,
                redemption_id=self.key_of(redemption_id),
                ask=ask_of(values),
                token=values.get("preview_token"),
                asked=self.asked,
                act=self.act,
            )
        except ReversalStale as error:
            raise Problem.of(error, members={"plan": self.plan(error.preview)}) from error
        request = self.newest_request(done.redemption)
        return Response(reversed_json(done, request, self.asked, store=self.store, now=self.now))


class RequestReversalView(_OneView):
    """A customer's wish."""

    required_scopes: ClassVar = {"POST": Scope.REDEMPTIONS_WRITE}

    @command(body=RequestBody, answer={201: OpenApiResponse(RequestDocument, "The request that is open.")})
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
        """What a code is worth: whether it may be used now, its value and until when; in capitals or not."""
        rows = Redemption.objects.for_store(self.store)
        found: Redemption | None = rows.filter(code=code.strip().upper()).first()
        if found is None:
            raise NotFound(_("This store has no such code."))
        return Response(code_json(found, store=self.store, now=self.now))
