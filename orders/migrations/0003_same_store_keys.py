"""Foreign keys over store and id: the database refuses a row that joins two stores (T1)."""

from typing import ClassVar

from django.db import migrations

from loyalty.stores.scoping import same_store_key

CUSTOMER, REMARK = "stores_customer", "stores_remark"
ORDER, REVERT = "orders_order", "orders_revert"


def ledger_keys(kind: str) -> list[migrations.RunSQL]:
    """The keys of one kind's three tables; ``kind`` is a table prefix such as ``credits_credit``."""
    lot, allocation, movement = f"{kind}lot", f"{kind}allocation", f"{kind}movement"
    return [
        same_store_key(lot, "customer_id", CUSTOMER),
        same_store_key(lot, "extended_from_id", lot),
        same_store_key(allocation, "order_id", ORDER),
        same_store_key(allocation, "lot_id", lot),
        same_store_key(movement, "customer_id", CUSTOMER),
        same_store_key(movement, "lot_id", lot),
        same_store_key(movement, "allocation_id", allocation),
        same_store_key(movement, "order_id", ORDER),
        same_store_key(movement, "revert_id", REVERT),
        same_store_key(movement, "remark_id", REMARK),
    ]


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("orders", "0002_initial"),
        ("credits", "0003_initial"),
        ("points", "0002_initial"),
        ("journal", "0002_initial"),
        ("notices", "0002_initial"),
    ]

    operations: ClassVar = [
        same_store_key(ORDER, "customer_id", CUSTOMER),
        same_store_key(REVERT, "order_id", ORDER),
        same_store_key(REVERT, "customer_id", CUSTOMER),
        same_store_key(REVERT, "remark_id", REMARK),
        *ledger_keys("credits_credit"),
        *ledger_keys("points_point"),
        same_store_key("journal_journalentry", "order_id", ORDER),
        same_store_key("journal_journalentry", "customer_id", CUSTOMER),
        same_store_key("journal_journalentry", "remark_id", REMARK),
        same_store_key("notices_notice", "customer_id", CUSTOMER),
        same_store_key("notices_notice", "order_id", ORDER),
    ]
