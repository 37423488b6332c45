"""Indexes hold what lists are asked for: few rows that are looked for, and not the many that nobody looks for by them.

Made beside the old ones while the shop goes on, so there is no moment without.
"""

from django.contrib.postgres.indexes import GinIndex
from django.db import migrations, models
from django.db.models import F, Q

from loyalty.database.migrating.indexes import AddIndexOnline, RemoveIndexOnline, RenameIndexOnce
from loyalty.database.migrating.together import Together

# Orders by tags, which no policy lets an index find (ADR 0039). Those without tags are in no index.
TAGGED = """
CREATE OR REPLACE FUNCTION orders_tagged(of_store bigint, any_of text[]) RETURNS SETOF bigint
LANGUAGE sql STABLE STRICT PARALLEL SAFE SECURITY DEFINER ROWS 500
BEGIN ATOMIC
    SELECT id FROM orders_order
    WHERE store_id = of_store AND tag_keys && any_of::varchar[]{of_those}
        AND CASE
            WHEN current_setting('loyalty.stores', true) = 'every' THEN true
            WHEN current_setting('loyalty.stores', true) LIKE '{{%'
            THEN of_store = ANY (current_setting('loyalty.stores', true)::bigint[])
        END;
END
"""
NEWEST = (F("placed_at").desc(), F("id").desc())

NEW = [
    models.Index(
        "store",
        *NEWEST,
        condition=Q(credit_revert_status="not_reverted") | Q(points_revert_status="not_reverted"),
        name="order_not_reverted",
    ),
    models.Index("store", *NEWEST, condition=Q(needs_revert=True), name="order_needs_revert"),
]
# In the place of those that were called so.
CHANGED = [
    *(
        models.Index(
            "store",
            f"{kind}_revert_status",
            *NEWEST,
            condition=Q(**{f"{kind}_revert_status__isnull": False}),
            name=f"order_{kind}_status",
        )
        for kind in ("credit", "points")
    ),
    models.Index("customer", *NEWEST, name="order_of_customer"),
    GinIndex("store", "tag_keys", condition=~Q(tag_keys=[]), name="order_tags"),
]


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("orders", "0030_kept_layouts")]

    operations = [
        Together(
            [RenameIndexOnce("order", new_name=f"{index.name}_before", old_name=index.name) for index in CHANGED]
        ),
        Together([AddIndexOnline("order", index) for index in [*NEW, *CHANGED]]),
        migrations.RunSQL(TAGGED.format(of_those=" AND NOT tag_keys = '{}'"), TAGGED.format(of_those="")),
        Together(
            [RemoveIndexOnline("order", name) for name in [*(f"{index.name}_before" for index in CHANGED), "order_external"]]
        ),
    ]
