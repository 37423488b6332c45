"""Whether the books agree, asked as often as tests want to know: all rules of `check_ledger` in one statement."""

from functools import cache

from loyalty.database.prepared import ask
from loyalty.proof import prove
from loyalty.stores.models import Store


def find_faults(store: Store | None) -> list[str]:
    """What :func:`loyalty.proof.prove.find_faults` says; it is only asked where some rule is broken.

    A rule a statement is right for large stores. For small ones nearly all of the time goes into a hundred plans, which
    PostgreSQL keeps for a statement that stays the same.
    """
    ((broken,),) = ask(_any_is_broken(), {"store": store.pk if store else None}).rows()
    return list(prove.find_faults(store)) if broken else []


@cache
def _any_is_broken() -> str:
    return f"SELECT {' OR '.join(f'EXISTS ({rule.sql})' for check in prove.all_checks() for rule in check.rules)}"
