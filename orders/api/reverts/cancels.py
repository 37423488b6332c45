"""Cancelling and returning: the preview, the commands, and many orders at once."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from loyalty.api.answers.problems import Problem
from loyalty.api.idempotency import command
from loyalty.api.requests.etags import expected_version, versioned
from loyalty.api.views import ApiView
from loyalty.core.values import parse_id
from loyalty.store_settings.sections import current_settings
from loyalty.stores.keys import Scope, allows_scope
from orders.api.orders.orders import find_order
from orders.api.reverts.bodies import BulkCancelBody, CancelBody, choice_of, details_of
from orders.api.reverts.documents import (
    BulkAnswerDocument,
    BulkResultDocument,
    CancelAnswerDocument,
    PlanDocument,
    cancel_json,
    plan_json,
)
from orders.services.reverts.apply import CancelResult, Details
from orders.services.reverts.cancel import PreviewStale, cancel_many, cancel_order, return_value
from orders.services.reverts.plans import Preview, preview
from orders.services.reverts.warnings import warnings_for


class _PlanningView(ApiView):
    """What preview and commands have in common: a plan is shown the same way in both."""

    def plan(self, shown: Preview) -> dict[str, Any]:
        """The plan as JSON; balances only for a key that may read the ledger."""
        settings = current_settings(self.store)
        warnings = warnings_for(shown.plan.order, store=self.store, settings=settings, now=self.now)
        balances = allows_scope(self.api_key, Scope.LEDGER_READ)
        return plan_json(shown, warnings, store=self.store, balances=balances)


class CancelPreviewView(_PlanningView):
    """What a cancel would do."""

    required_scopes: ClassVar = {"POST": Scope.ORDERS_READ}

    @extend_schema(request=CancelBody, responses=PlanDocument)
    def post(self, _request: Request, order_id: str) -> Response:
        """Preview a cancel: what it, or returning what is left, would do; writes nothing.

        `preview_token` makes a later cancel or return apply exactly this, or refuse.
        """
        order = find_order(self, order_id)
        choice = choice_of(self.read(CancelBody))
        settings = current_settings(self.store)
        return Response(self.plan(preview(order, choice, store=self.store, settings=settings, now=self.now)))


class _RevertingView(_PlanningView):
    """A command that may give value back."""

    required_scopes: ClassVar = {"POST": Scope.ORDERS_CANCEL}
    verb: ClassVar[Callable[..., CancelResult]]

    def carry_out(self, request: Request, order_id: str) -> Response:
        """Do it, or answer 409 with the new plan when what was shown no longer holds (M6)."""
        values = self.read(CancelBody)
        try:
            result = type(self).verb(
                store=self.store,
                order_id=self.key_of(order_id),
                choice=choice_of(values),
                details=details_of(values),
                token=values.get("preview_token"),
                version=expected_version(request),
                act=self.act,
            )
        except PreviewStale as error:
            raise Problem.of(error, members={"plan": self.plan(error.preview)}) from error
        return versioned(cancel_json(result), result.order.version)


class CancelView(_RevertingView):
    """Cancelling one order."""

    verb = staticmethod(cancel_order)

    @command(body=CancelBody, answer=CancelAnswerDocument, if_match=True)
    def post(self, request: Request, order_id: str) -> Response:
        """Cancel an order: return what was chosen; on a cancelled order return what is left."""
        return self.carry_out(request, order_id)


class ReturnView(_RevertingView):
    """Returning value of an order without cancelling it."""

    verb = staticmethod(return_value)

    @command(body=CancelBody, answer=CancelAnswerDocument, if_match=True)
    def post(self, request: Request, order_id: str) -> Response:
        """Return what is left of a refunded or cancelled order; its status stays."""
        return self.carry_out(request, order_id)


class BulkCancelView(ApiView):
    """Cancelling many orders."""

    required_scopes: ClassVar = {"POST": Scope.ORDERS_CANCEL}

    @command(body=BulkCancelBody, answer=BulkAnswerDocument)
    def post(self, _request: Request) -> Response:
        """Cancel many orders: up to 500, returning nothing; answers when done, one result for each id that was sent."""
        ids: Sequence[str] = self.read(BulkCancelBody)["ids"]
        keys = {text: parse_id(text) for text in ids}
        wanted = [key for key in keys.values() if key is not None]
        done = cancel_many(store=self.store, order_ids=wanted, details=Details(), actor=self.actor, now=self.now)
        outcomes = {text: _outcome(done.get(key) if key else None) for text, key in keys.items()}
        # The first mention of an id takes its outcome; a repeat finds none left.
        answers = [(text, *outcomes.pop(text, _DUPLICATE)) for text in ids]
        results = [BulkResultDocument.of(id=text, status=status, code=code) for text, status, code in answers]
        return Response(BulkAnswerDocument.of(results=results))


_NOT_FOUND: Final = ("failed", "not-found")
_ALREADY: Final = ("skipped", "already-cancelled")
_DUPLICATE: Final = ("skipped", "duplicate")


def _outcome(result: CancelResult | None) -> tuple[str, str | None]:
    if result is None:
        return _NOT_FOUND
    return ("cancelled", None) if result.cancelled_now else _ALREADY
