"""What was given back: the list of reverts, and one of them."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.utils.translation import gettext_noop
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from loyalty.api.answers.pagination import Ordering
from loyalty.api.answers.problems import Problem
from loyalty.api.idempotency import command
from loyalty.api.requests.etags import versioned
from loyalty.api.views import ApiView, ListView
from loyalty.ledger.ledger import Kind
from loyalty.ledger.models import MovementType
from loyalty.stores.actors import actor_names
from loyalty.stores.keys import Scope
from orders.api.reverts.bodies import UndoBody
from orders.api.reverts.documents import RevertDocument, UndoAnswerDocument, revert_json
from orders.api.reverts.filters import RevertFilters
from orders.kinds import KINDS, LEDGERS, allocation_ref
from orders.models import Revert
from orders.services.reverts.undo import UndoNotPossible, undo_revert, undos_of


class RevertListView(ListView):
    """All reverts of the store."""

    required_scopes: ClassVar = {"GET": Scope.LEDGER_READ}
    filterset_class = RevertFilters
    serializer_class = RevertDocument
    orderings: ClassVar = (Ordering("created_at"),)

    @extend_schema(responses=RevertDocument(many=True))
    def get(self, _request: Request) -> Response:
        """Returns, newest first."""
        return self.list(Revert.objects.for_store(self.store))

    def present(self, rows: Sequence[Any]) -> Sequence[Any]:
        """The rows as JSON."""
        return present_reverts(rows)


class UndoView(ApiView):
    """Undoing one revert."""

    required_scopes: ClassVar = {"POST": Scope.REVERTS_UNDO}

    @command(body=UndoBody, answer=UndoAnswerDocument)
    def post(self, _request: Request, revert_id: str) -> Response:
        """Undo a return: take back what it gave, out of the lots it went into; what is left counts as declined.

        Refused with 409 `undo-not-possible` when it was undone before, is older than the store allows, was deducted
        again, or a lot has expired or holds less than what came back to it; `reason` says which, `detail` in words.
        """
        values = self.read(UndoBody)
        try:
            result = undo_revert(
                store=self.store,
                revert_id=self.key_of(revert_id),
                reason=values.get("reason", ""),
                act=self.act,
            )
        except UndoNotPossible as error:
            raise Problem.of(error, members={"reason": error.reason}) from error
        answer = UndoAnswerDocument.of(result, revert=present_reverts([result.revert])[0])
        return versioned(answer, result.order.version)


class RevertView(ApiView):
    """One revert."""

    required_scopes: ClassVar = {"GET": Scope.LEDGER_READ}

    @extend_schema(responses=RevertDocument)
    def get(self, _request: Request, revert_id: str) -> Response:
        """One return: what became of every lot."""
        return Response(
            present_reverts(
                [
                    self.find(
                        Revert.objects.for_store(self.store),
                        revert_id,
                        gettext_noop("This store has no revert with the id %(id)s."),
                    )
                ]
            )[0]
        )


def present_reverts(reverts: Sequence[Revert]) -> list[dict[str, Any]]:
    """Reverts as JSON; five queries at most, however many they are."""
    undos = undos_of(reverts)
    names = actor_names([*(revert.actor for revert in reverts), *(undo.actor for undo in undos.values())])
    lots = returned_to(reverts)
    return [revert_json(revert, lots.get(revert.pk, {}), undos.get(revert.pk), names) for revert in reverts]


def returned_to(reverts: Sequence[Revert]) -> dict[int, dict[str, str]]:
    """By revert and allocation reference: the lot its value went into. One query for each kind that is there."""
    lots: dict[int, dict[str, str]] = {revert.pk: {} for revert in reverts}
    for kind in KINDS:
        for revert_id, allocation_id, lot_id in _movements(kind, [item.pk for item in reverts if item.kind == kind]):
            lots[revert_id][allocation_ref(kind, allocation_id)] = str(lot_id)
    return lots


def _movements(kind: Kind, revert_ids: Sequence[int]) -> Sequence[tuple[int, int, int]]:
    if not revert_ids:
        return ()
    movements = LEDGERS[kind].tables.movement.unscoped.filter(revert__in=revert_ids, allocation__isnull=False)
    return list(movements.filter(type=MovementType.REVERT).values_list("revert_id", "allocation_id", "lot_id"))
