"""Having the rules look at an order that changed from outside (N2). The order's state is the queue."""

from datetime import datetime, timedelta
from typing import Final

from loyalty.jobs.periodic import wake
from loyalty.store_settings.sections import SpentRevertSettings
from orders.kinds import KINDS, applied
from orders.models import Order
from orders.services.rules.decide import Facts, News, facts_of, news, worth_a_look

JOB: Final = "orders.evaluate_rules"
# What watching an order writes; whoever calls it saves these.
WATCHED: Final = ("rules_due_at", "rules_news")


def watch(order: Order, before: Facts | None, *, rules: SpentRevertSettings, now: datetime) -> bool:
    """Note on a locked ``order`` what a change from outside brought, and when the rules look at it (N2, N3).

    ``before`` is what the order was, None when it has just arrived. The store's delay counts from the last change, so
    that a skip tag has that long to arrive; without one a worker is woken after the commit. The same state again is
    looked at where it would have returned something. Answers whether there is anything to save.
    """
    after = facts_of(order)
    brought, repeated = news(before, after), after == before
    if (before is None and brought == News()) or (repeated and not _may_answer(order)):
        return False
    if not worth_a_look(order, rules, repeated=repeated):
        return False
    order.rules_due_at = now + timedelta(minutes=rules.delay_minutes)
    order.rules_news = (News.from_json(order.rules_news) | brought).to_json()
    if not rules.delay_minutes:
        wake(JOB)
    return True


def _may_answer(order: Order) -> bool:
    """Whether a repeated state may be worth a look: something was used, and no look is due anyway."""
    return order.rules_due_at is None and any(applied(order, kind) for kind in KINDS)
