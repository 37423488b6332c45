"""The rows every ledger has: lots, allocations and movements (domain §1), abstract.

``credits`` makes them with Decimal money and a currency, ``points`` with whole numbers. Their amounts are declared
there; everything else, and the rules that the database holds, stands here once.
"""

from typing import Any, ClassVar, Final

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.database.retention import for_ever
from loyalty.database.rights import INSERT_ONLY, Rights
from loyalty.stores.scoping import SameStoreKey, StoreOwned, implied_store, unique_in_store


class Origin(models.TextChoices):
    """Where a lot's value came from."""

    GRANT = "grant", gettext_lazy("Given")
    EXTENSION = "extension", gettext_lazy("Extended")
    EARNED = "earned", gettext_lazy("Earned by an order")
    REWARD = "reward", gettext_lazy("Reward")
    IMPORTED = "imported", gettext_lazy("Brought from another system")


class MovementType(models.TextChoices):
    """What a ledger row records."""

    GRANT = "grant", gettext_lazy("Given")
    SPEND = "spend", gettext_lazy("Spent")
    REVERT = "revert", gettext_lazy("Returned")
    UNDO = "undo", gettext_lazy("Return undone")
    EXPIRE = "expire", gettext_lazy("Expired")
    ADJUST = "adjust", gettext_lazy("Adjusted")
    CLAW_BACK = "claw_back", gettext_lazy("Taken back")
    MERGE = "merge", gettext_lazy("Moved when merged")


# A lot goes to nobody but the customer whom its own one was merged into.
_CHANGES_HANDS = """
IF NOT EXISTS (
    SELECT FROM stores_customer WHERE id = OLD.customer_id AND merged_into_id = NEW.customer_id
) THEN
    RAISE EXCEPTION 'lot % cannot change hands: its customer was not merged into that one', OLD.id
        USING ERRCODE = 'integrity_constraint_violation';
END IF;
RETURN NEW;
"""


class AbstractLot(StoreOwned):
    """Value granted to one customer at one moment, usable before ``expires_at`` (L1, L2).

    Only ``remaining`` ever changes, and once ``booked_off``: what was left when it lapsed has been posted as expired
    (L5), and nothing comes back into it; and the customer where he was merged into another (O7). That the expiry never
    changes is what lets a return be planned before the customer's ledger is locked.
    """

    store = implied_store()
    granted: Any
    remaining: Any
    # Points have none.
    currency: Any = ""
    customer = SameStoreKey("stores.Customer")
    granted_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    booked_off = models.BooleanField(default=False, db_default=False)
    origin = models.CharField(max_length=10, choices=Origin.choices)
    extended_from = SameStoreKey("self", null=True, blank=True)

    rights = Rights(changes=("remaining", "booked_off", "customer"))
    retention = for_ever("the ledger: value that was given, and until when")

    class Meta(StoreOwned.Meta):
        abstract = True
        constraints: ClassVar[list[Any]] = [
            unique_in_store("%(class)s_in_store"),
            models.CheckConstraint(
                condition=Q(remaining__gte=0, remaining__lte=F("granted")), name="%(class)s_remaining_within"
            ),
            models.CheckConstraint(condition=Q(granted__gt=0), name="%(class)s_granted_positive"),
            models.CheckConstraint(
                condition=Q(booked_off=False) | Q(remaining=0), name="%(class)s_booked_off_is_empty"
            ),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index("customer", F("id").desc(), name="%(class)s_of_customer"),
            models.Index("customer", "expires_at", condition=Q(remaining__gt=0), name="%(class)s_open"),
            models.Index("store", "expires_at", condition=Q(remaining__gt=0), name="%(class)s_expiring"),
            models.Index(
                "expires_at", condition=Q(remaining__gt=0, expires_at__isnull=False), name="%(class)s_to_expire"
            ),
        ]
        triggers: ClassVar[list[Any]] = [
            pgtrigger.Protect(name="keep_lots", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(name="only_remaining_changes", exclude=["remaining", "booked_off", "customer"]),
            pgtrigger.Trigger(
                name="changes_hands_by_merging",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                condition=pgtrigger.Q(old__customer__df=pgtrigger.F("new__customer")),
                func=_CHANGES_HANDS,
            ),
        ]

    def __str__(self) -> str:
        return _("Lot %(pk)s") % {"pk": self.pk}


# An order knows when the first lot that it drew on expires, so that lists find it; the expiry of a lot never changes.
# The database sees to it, so that no way to draw on lots leaves it out: an order's own, a code's (R7), *Deduct again*.
_TELLS_ORDER: Final = """
UPDATE orders_order AS drawing SET first_expiry = lot.expires_at
FROM {fields.lot.related_model._meta.db_table} AS lot
WHERE drawing.id = NEW.order_id AND lot.id = NEW.lot_id
    AND (drawing.first_expiry > lot.expires_at OR drawing.first_expiry IS NULL AND lot.expires_at IS NOT NULL);
RETURN NULL;
"""


class AbstractAllocation(StoreOwned):
    """The part of one lot that one spend took; stored when spent (L3), and how much of it is back.

    It was spent on an order or on a redemption; the redemption's becomes the order's that came with its code, once and
    for good (R7). ``deduction`` is 0 for what the order was placed with, 1, 2, … for each *Deduct again* (M10).
    """

    store = implied_store()
    amount: Any
    returned: Any
    order = SameStoreKey("orders.Order", null=True, blank=True)
    redemption = SameStoreKey("orders.Redemption", null=True, blank=True)
    deduction = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()

    rights = Rights(changes=("returned", "order"))
    retention = for_ever("the ledger: which lots an order used")

    class Meta(StoreOwned.Meta):
        abstract = True
        constraints: ClassVar[list[Any]] = [
            unique_in_store("%(class)s_in_store"),
            # An order may take of a lot by itself and with a code whose points came from the same lot.
            models.UniqueConstraint(
                fields=["order", "lot", "deduction", "redemption"], name="%(class)s_once", nulls_distinct=False
            ),
            models.UniqueConstraint(
                fields=["redemption", "lot"],
                condition=Q(redemption__isnull=False),
                name="%(class)s_once_redeemed",
            ),
            models.CheckConstraint(
                condition=Q(order__isnull=False, redemption__isnull=True) | Q(redemption__isnull=False, deduction=0),
                name="%(class)s_order_or_redemption",
            ),
            models.CheckConstraint(
                condition=Q(returned__gte=0, returned__lte=F("amount")), name="%(class)s_returned_within"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="%(class)s_amount_positive"),
        ]
        indexes: ClassVar[list[Any]] = [models.Index("lot", name="%(class)s_of_lot")]
        triggers: ClassVar[list[Any]] = [
            pgtrigger.Protect(name="keep_allocations", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(name="only_returned_changes", exclude=["returned", "order"]),
            pgtrigger.Trigger(
                name="tells_order",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("order_id"),
                when=pgtrigger.After,
                condition=pgtrigger.Q(new__order__isnull=False),
                func=pgtrigger.Func(_TELLS_ORDER),
            ),
            pgtrigger.Protect(
                name="order_is_set_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__order__df=pgtrigger.F("new__order"))
                & (pgtrigger.Q(old__order__isnull=False) | pgtrigger.Q(old__redemption__isnull=True)),
            ),
        ]


class AbstractMovement(StoreOwned):
    """One insert-only ledger row (H1): a signed amount on one lot, and the customer's balance after it.

    Per customer (and currency) the rows form a chain in id order: each ``balance_after`` is the one before plus the
    amount. After any write the last one is what is available, because a write first posts what has lapsed (L5).
    """

    store = implied_store()
    amount: Any
    balance_after: Any
    # Points have none.
    currency: Any = ""
    customer = SameStoreKey("stores.Customer")
    type = models.CharField(max_length=10, choices=MovementType.choices)
    order = SameStoreKey("orders.Order", null=True, blank=True)
    redemption = SameStoreKey("orders.Redemption", null=True, blank=True)
    revert = SameStoreKey("orders.Revert", null=True, blank=True)
    remark = SameStoreKey("stores.Remark", null=True, blank=True)
    actor = models.CharField(max_length=100)
    trigger = models.CharField(max_length=20, blank=True)
    created_at = models.DateTimeField()

    rights = INSERT_ONLY
    retention = for_ever("the ledger: every change of a balance")

    class Meta(StoreOwned.Meta):
        abstract = True
        constraints: ClassVar[list[Any]] = [
            models.CheckConstraint(condition=~Q(amount=0), name="%(class)s_amount_not_zero"),
            models.CheckConstraint(condition=Q(type__in=MovementType.values), name="%(class)s_type_is_known"),
            models.CheckConstraint(
                condition=Q(order__isnull=True) | Q(redemption__isnull=True), name="%(class)s_order_or_redemption"
            ),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index("customer", F("id").desc(), name="%(class)s_history"),
            models.Index(
                "store",
                F("created_at").desc(),
                F("id").desc(),
                condition=Q(type=MovementType.EXPIRE),
                name="%(class)s_lost",
            ),
            models.Index("lot", name="%(class)s_of_lot"),
            models.Index("order", condition=Q(order__isnull=False), name="%(class)s_of_order"),
            models.Index("redemption", condition=Q(redemption__isnull=False), name="%(class)s_redeemed"),
            models.Index("revert", condition=Q(revert__isnull=False), name="%(class)s_of_revert"),
        ]
        triggers: ClassVar[list[Any]] = [
            pgtrigger.Protect(name="insert_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.get_type_display()} {self.amount}"
