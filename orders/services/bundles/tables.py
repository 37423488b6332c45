"""What of a store travels in a bundle and what stays, table by table, with the reason: the one place that decides.

A column travels unless it is named in ``left_out``; a new table fails a test until it stands here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.db.models import DecimalField

from credits.models import CreditAllocation, CreditLot, CreditMovement
from loyalty.journal.models import JournalEntry
from loyalty.notices.models import Notice, Reminder
from loyalty.platforms.models import InboundDelivery, PlatformConnection, PrivacyRequest
from loyalty.platforms.recognise import ERASING_TOPICS
from loyalty.stores.logos import Logo
from loyalty.stores.models import Customer, PlatformId, Remark, SettingsVersion
from loyalty.stores.scoping import SameStoreKey, StoreOwned
from loyalty.webhooks.models import WebhookEndpoint
from orders.models import (
    BalanceImport,
    BalanceImportKey,
    BulkCancel,
    BulkItem,
    CodeUse,
    KeptLayout,
    Order,
    Redemption,
    ReversalRequest,
    Revert,
    RevertUndo,
    Reward,
    SavedView,
)
from orders.services.bundles.remap import in_each, in_object
from points.models import PointAllocation, PointLot, PointMovement


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table of a store in a bundle; its rows are written in the order of their ids, and get new ones in it.

    ``rows`` is the SQL condition on ``mine`` for the rows that travel. ``left_out`` are columns that do not, with the
    SQL value that stands there on arrival; ``arrives`` are columns that are not the same on arrival, as SQL on the
    arriving record ``d``. ``actors`` hold references to who did something. ``sums`` are proved, by ``by``.
    """

    name: str
    model: type[StoreOwned]
    rows: str = "TRUE"
    left_out: Mapping[str, str] = field(default_factory=dict)
    arrives: Mapping[str, str] = field(default_factory=dict)
    ids: Mapping[str, str] = field(default_factory=dict)
    actors: tuple[str, ...] = ()
    sums: tuple[str, ...] = ()
    by: tuple[str, ...] = ()

    @property
    def fields(self) -> list[Any]:
        """The columns that travel: all but the store, what the database makes by itself, and what is left out."""
        return [
            column
            for column in self.model._meta.concrete_fields
            if not column.generated and column.column != "store_id" and column.column not in self.left_out
        ]

    @property
    def numeric(self) -> list[str]:
        """The columns with money and other decimals, which travel as texts: few readers keep all digits of a number."""
        return [str(column.column) for column in self.fields if isinstance(column, DecimalField)]

    @property
    def keys(self) -> dict[str, str]:
        """The columns that refer to another row of the store, with the travelling table that they lead to."""
        leading = [column for column in self.fields if isinstance(column, SameStoreKey)]
        return {column.column: _NAMES[column.related_model] for column in leading}

    @property
    def staged(self) -> str:
        """The temporary table of its lines on arrival."""
        return f"bundle_{self.name}"


_NOW: Final = "%(now)s"
_FILTERED: Final = ", ".join(f"'{topic}'" for topic in ERASING_TOPICS)
_LOTS: Final = {
    kind: in_each("d.lots", {"lot": f"{kind}_lots", "allocation": f"{kind[0]}:{kind}_allocations"})
    for kind in ("credit", "point")
}
# Under these names the journal's facts refer to other rows.
_IN_JOURNAL: Final = {
    "revert": "reverts",
    "order": "orders",
    "redemption": "redemptions",
    "customer": "customers",
    "customer_id,from": "customers",
    "customer_id,to": "customers",
    "notice": "notices",
    "reward": "rewards",
    "request": "reversal_requests",
    "endpoint": "webhook_endpoints",
    "import": "balance_imports",
}
# As facts name who is meant, and an invitation, which stays.
MEMBER: Final = "member"

# Whoever is referred to comes first.
TRAVELS: Final = (
    Table(name="remarks", model=Remark),
    # How he is found is worked out anew.
    Table(name="customers", model=Customer, left_out={"search_key": "''"}),
    Table(name="platform_ids", model=PlatformId),
    Table(name="logos", model=Logo),
    Table(name="settings_versions", model=SettingsVersion, actors=("actor",)),
    Table(name="rewards", model=Reward),
    Table(
        name="orders",
        model=Order,
        ids={"codes": in_each("d.codes", {"redemption": "redemptions"})},
        sums=("total", "refunded_total", "credits_applied", "credits_reverted", "points_applied", "points_reverted"),
        by=("currency",),
    ),
    Table(name="credit_lots", model=CreditLot, sums=("granted", "remaining"), by=("currency",)),
    Table(name="point_lots", model=PointLot, sums=("granted", "remaining")),
    Table(
        name="redemptions",
        model=Redemption,
        # What waited to be told to the platform is not told from the new place.
        arrives={"platform_state": "CASE d.platform_state WHEN 'pending' THEN 'failed' ELSE d.platform_state END"},
        actors=("actor", "reversed_by"),
        sums=("points", "points_returned", "credits_taken"),
        by=("currency",),
    ),
    Table(name="credit_allocations", model=CreditAllocation),
    Table(name="point_allocations", model=PointAllocation, sums=("amount", "returned")),
    Table(
        name="reverts",
        model=Revert,
        ids={"lots": f"CASE d.kind WHEN 'credits' THEN {_LOTS['credit']} ELSE {_LOTS['point']} END"},
        actors=("actor",),
        sums=("amount",),
        by=("kind", "currency"),
    ),
    Table(name="revert_undos", model=RevertUndo, actors=("actor",)),
    Table(name="credit_movements", model=CreditMovement, actors=("actor",), sums=("amount",), by=("currency",)),
    Table(name="point_movements", model=PointMovement, actors=("actor",), sums=("amount",)),
    Table(name="code_uses", model=CodeUse),
    Table(name="reversal_requests", model=ReversalRequest, actors=("actor", "answered_by")),
    Table(
        name="bulk_cancels",
        model=BulkCancel,
        # What nobody confirmed is forgotten within a day; what was under way goes on when somebody says so.
        rows="mine.state <> 'draft'",
        arrives={
            "state": "CASE d.state WHEN 'open' THEN 'stopped' ELSE d.state END",
            "stopped_by": "CASE d.state WHEN 'open' THEN 'system:import_store' ELSE d.stopped_by END",
            "finished_at": f"CASE d.state WHEN 'open' THEN {_NOW} ELSE d.finished_at END",
        },
        actors=("actor", "stopped_by"),
    ),
    Table(
        name="bulk_items",
        model=BulkItem,
        rows="mine.bulk_id IN (SELECT id FROM orders_bulkcancel WHERE state <> 'draft' AND store_id = mine.store_id)",
    ),
    Table(
        name="balance_imports",
        model=BalanceImport,
        # What was written is written; the file stays, so what was still to come is imported anew.
        rows="mine.started_at IS NOT NULL",
        left_out={"received": "0", "busy_until": "NULL"},
        arrives={
            "state": "CASE d.state WHEN 'taken_back' THEN d.state ELSE 'done' END",
            "finished_at": f"coalesce(d.finished_at, {_NOW})",
        },
        actors=("actor", "started_by", "taken_back_by"),
    ),
    # What came from which row: so that the same file changes nothing where it arrives, either.
    Table(name="balance_import_keys", model=BalanceImportKey),
    Table(name="kept_layouts", model=KeptLayout, actors=("actor",)),
    # Somebody's own tabs stay with his account.
    Table(name="saved_views", model=SavedView, rows="mine.owner_id IS NULL", left_out={"owner_id": "NULL"}),
    Table(
        name="notices",
        model=Notice,
        # Sent by the installation that wrote them, and by no other. Mail servers know their ids.
        arrives={
            "status": "CASE d.status WHEN 'queued' THEN 'withdrawn' ELSE d.status END",
            "next_attempt_at": "NULL",
            "message_id": "'<' || gen_random_uuid() || '@loyalty-back-office>'",
        },
    ),
    Table(name="reminders", model=Reminder),
    # Of what platforms sent, only whom they asked to erase, until it is done.
    Table(
        name="erasure_messages",
        model=InboundDelivery,
        rows=f"mine.topic IN ({_FILTERED}) AND mine.redacted_at IS NULL",
    ),
    Table(name="privacy_requests", model=PrivacyRequest, actors=("confirmed_by", "done_by")),
    Table(
        name="webhook_endpoints",
        model=WebhookEndpoint,
        # Told nothing until it has a secret again and somebody switches it on.
        left_out={"secret": "''", "previous_secret": "''", "previous_secret_until": "NULL"},
        arrives={
            "disabled_at": f"coalesce(d.disabled_at, {_NOW})",
            "disabled_because": "CASE WHEN d.disabled_at IS NULL THEN 'person' ELSE d.disabled_because END",
        },
    ),
    Table(
        name="platform_connections",
        model=PlatformConnection,
        # Its secrets are entered again; what it last fetched says from where to go on.
        left_out={
            **dict.fromkeys(
                (
                    *("access_token", "consumer_key", "consumer_secret"),
                    *("webhook_secret", "previous_webhook_secret"),
                ),
                "''",
            ),
            **dict.fromkeys(
                (
                    *("previous_secret_until", "poll_since", "poll_until"),
                    *("poll_lease", "poll_leased_until", "poll_not_before", "webhooks_checked_at"),
                ),
                "NULL",
            ),
            **dict.fromkeys(("poll_cursor", "poll_error", "last_error", "last_answer", "webhook_address"), "''"),
            "poll_failures": "0",
            "webhooks": "'unknown'",
        },
        arrives={"enabled": "FALSE"},
    ),
    Table(
        name="journal",
        model=JournalEntry,
        ids={"data": in_object("d.data", _IN_JOURNAL)},
        actors=("actor",),
    ),
)
_NAMES: Final[dict[Any, str]] = {table.model: table.name for table in TRAVELS}

# What stays, and why. The store itself stands in the manifest.
STAYS: Final[Mapping[str, str]] = {
    "stores_membership": "accounts belong to people and to the installation where they sign in: invite them anew",
    "stores_dayofadjusting": "how much a person may still give today counts by accounts, which stay",
    "stores_apikey": "keys are secrets, and only their hashes are kept: make new ones",
    "stores_formeractor": "stands among the actors, with everybody else who acted",
    "stores_sentform": "keeps a form from being carried out twice, for as long as somebody may send it again",
    "journal_ledgercheck": "the books are checked anew where they arrive",
    "journal_customerproblem": "jobs find by themselves what they could not do, and try it where it arrives",
    "orders_problem": "jobs find by themselves what they could not do, and try it where it arrives",
    "orders_balanceimportpart": "the file that an import was read from, which names people and is not kept for long",
    "orders_balanceimportrow": "what an import has read and not yet written, or why not",
    "orders_storebundle": "bundles themselves, which are fetched where they were made",
    "orders_storebundlepart": "bundles themselves, which are fetched where they were made",
    "orders_look": "who is looking at an order at this moment",
    "api_commandanswer": "answers that are kept a week for API keys, which stay",
    "outbox_message": "sent by the installation that wrote it, and by no other",
    "webhooks_webhookattempt": "belongs to messages that stay",
    "accounts_invitation": "its link leads to this installation: invite them anew",
    "accounts_letter": "mail of accounts, which stay",
}
