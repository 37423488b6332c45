"""How far support staff may adjust a customer's balance (L6, T2): asked by pages and the REST API alike."""

from loyalty.errors import Invalid
from loyalty.ledger.ledger import Kind
from loyalty.ledger.planner import Amount
from loyalty.stores.models import Role, Store
from loyalty.stores.preferences import LimitSettings
from loyalty.stores.roles import Can, allows


class AboveLimit(Invalid):
    """More than this role may give or remove at once."""

    code = "above-limit"
    title = "This is more than you may adjust."


def adjust_limit(kind: Kind, *, role: Role, limits: LimitSettings) -> Amount | None:
    """The most that ``role`` may give or remove at once; None for no limit, 0 for not at all.

    The limit for credits is in the store's currency.
    """
    if allows(role, Can.ADJUST_WITHOUT_LIMIT):
        return None
    if not allows(role, Can.ADJUST_LEDGER):
        return 0
    limit: Amount | None = limits.support_adjust_credits if kind == "credits" else limits.support_adjust_points
    return limit if limit is not None else 0


def check_adjust_limit(
    kind: Kind, amount: Amount, *, currency: str, store: Store, role: Role, limits: LimitSettings
) -> None:
    """Raise AboveLimit at ``/amount`` when ``role`` may not give or remove this much; the sign does not matter."""
    limit = adjust_limit(kind, role=role, limits=limits)
    if limit is None:
        return
    if limit == 0:
        raise AboveLimit.at("/amount", "Your role may not give or remove this. Ask a manager.")
    if kind == "credits" and currency != store.currency:
        raise AboveLimit.at("/amount", f"Your role may adjust {store.currency} only. Ask a manager.")
    if max(amount, -amount) > limit:
        raise AboveLimit.at("/amount", f"Your role may give or remove at most {limit} at once. Ask a manager.")
