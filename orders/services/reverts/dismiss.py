"""Deciding not to return what is left of an order, and taking that decision back (B2, N4)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.core.errors import Conflict
from loyalty.journal.record import Event, record
from loyalty.ledger.ledger import Kind
from loyalty.store_settings.sections import current_settings
from loyalty.stores.actors import Act
from loyalty.stores.models import Remark, Store
from orders.kinds import KINDS, applied, decision, reverted
from orders.models import FINAL_DECISIONS, Order, PersonsDecision
from orders.services.locks import lock_order
from orders.services.reverts.cancel import NotReturnable
from orders.services.rules.trace import persons_entry

_DECIDED: Final = (*FINAL_DECISIONS, PersonsDecision.EXPIRED_LEFT)


class NothingLeft(Conflict):
    """Everything that the order used is back already; what a reward gave has all been spent or has expired (R4)."""

    code = "nothing-left"
    title = gettext_noop("Nothing is left to be returned.")


@transaction.atomic
def dismiss_revert(*, store: Store, order_id: int, reason: str, act: Act, version: int | None = None) -> Order:
    """Decide that what is left of each kind is not returned: it leaves the queue and stays Not Reverted (B2).

    Automation leaves it alone from then on, people may still return it (N4). What was declined or dismissed before
    stays as it is; with nothing else left to decide, nothing changes. Raises NotFound (T1), NotReturnable for an order
    that is neither cancelled nor refunded nor deleted there unpaid, NothingLeft, VersionConflict when ``version`` is
    given and old.
    """
    order = lock_order(store, order_id, version=version)
    if not order.to_be_decided:
        raise NotReturnable(_("This order is neither cancelled nor refunded, so nothing waits to be returned."))
    if not _left(order):
        raise NothingLeft(_("Everything that this order used is back already; there is nothing to decide."))
    kinds = dismissible_kinds(order)
    if kinds:
        _decide(order, kinds, PersonsDecision.DISMISSED, act.now)
        remark: Remark = Remark.objects.create(store=store, reason=reason, created_at=act.now)
        _trace(order, kinds, Event.REVERT_DISMISSED, "declined", act, remark_id=remark.pk)
    return order


@transaction.atomic
def put_back_in_queue(*, store: Store, order_id: int, act: Act, version: int | None = None) -> Order:
    """Take back what people decided about the part that is not returned: the order waits in the queue again (B2).

    What is left counts as deferred: a person decides, or automation after a change from outside (N4). With nothing
    decided nothing changes. Raises NotFound (T1), VersionConflict when ``version`` is given and old.
    """
    order = lock_order(store, order_id, version=version)
    kinds = decided_kinds(order)
    if kinds:
        _decide(order, kinds, PersonsDecision.DEFERRED, act.now)
        _trace(order, kinds, Event.REVERT_WAITS_AGAIN, "not_selected", act)
    return order


def decided_kinds(order: Order) -> list[Kind]:
    """The kinds of which something is left that people have decided about: these can be put back into the queue."""
    return [kind for kind in _left(order) if decision(order, kind) in _DECIDED]


def dismissible_kinds(order: Order) -> list[Kind]:
    """The kinds of which something is left that nobody has declined or dismissed."""
    return [kind for kind in _left(order) if decision(order, kind) not in FINAL_DECISIONS]


def _left(order: Order) -> list[Kind]:
    return [kind for kind in KINDS if reverted(order, kind) < applied(order, kind)]


def _decide(order: Order, kinds: Sequence[Kind], decision: PersonsDecision, now: datetime) -> None:
    columns = [f"{kind}_decision" for kind in kinds]
    for column in columns:
        setattr(order, column, decision)
    # Only what comes from outside after this is new.
    order.rules_news = None
    order.touch(now, *columns, "rules_news")


def _trace(
    order: Order, kinds: Sequence[Kind], event: Event, code: str, act: Act, *, remark_id: int | None = None
) -> None:
    facts: dict[str, Any] = {"code": code, "trigger": act.trigger, "remark_id": remark_id}
    facts["settings_version"] = current_settings(order.store).version
    record([persons_entry(order, kind, event, **facts) for kind in kinds], actor=act.actor, now=act.now)
