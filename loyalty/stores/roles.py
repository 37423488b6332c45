"""What each role may do in a store (T2). Pages, buttons and services all ask here."""

from enum import StrEnum

from loyalty.stores.models import Role


class Can(StrEnum):
    """One thing a role may or may not do."""

    VIEW = "view"
    ENTER_ORDERS = "enter_orders"
    CANCEL_ORDERS = "cancel_orders"
    ADJUST_LEDGER = "adjust_ledger"
    ADJUST_WITHOUT_LIMIT = "adjust_without_limit"
    EDIT_CUSTOMERS = "edit_customers"
    MERGE_CUSTOMERS = "merge_customers"
    IMPORT_BALANCES = "import_balances"
    REDEEM = "redeem"
    FORCE_REVERSALS = "force_reversals"
    CHANGE_SETTINGS = "change_settings"
    UNDO_REVERTS = "undo_reverts"
    MANAGE_STAFF = "manage_staff"
    MANAGE_API_KEYS = "manage_api_keys"
    MANAGE_WEBHOOKS = "manage_webhooks"
    TAKE_STORE = "take_store"


_SUPPORT = frozenset({Can.VIEW, Can.ENTER_ORDERS, Can.CANCEL_ORDERS, Can.ADJUST_LEDGER, Can.EDIT_CUSTOMERS, Can.REDEEM})
_MANAGER = _SUPPORT | {
    Can.ADJUST_WITHOUT_LIMIT,
    Can.MERGE_CUSTOMERS,
    Can.IMPORT_BALANCES,
    Can.CHANGE_SETTINGS,
    Can.UNDO_REVERTS,
    Can.FORCE_REVERSALS,
}

ALLOWED: dict[Role, frozenset[Can]] = {
    Role.VIEWER: frozenset({Can.VIEW}),
    Role.SUPPORT: _SUPPORT,
    Role.MANAGER: _MANAGER,
    Role.OWNER: frozenset(Can),
}


def allows(role: Role, what: Can) -> bool:
    """Whether ``role`` may do ``what``."""
    return what in ALLOWED[role]
