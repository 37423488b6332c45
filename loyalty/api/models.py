"""What the REST API remembers: answers to commands, so that a repeat gets the same answer."""

from typing import ClassVar

from django.db import models

from loyalty.database.retention import Kept
from loyalty.database.rights import Rights
from loyalty.stores.scoping import StoreOwned


class CommandAnswer(StoreOwned):
    """The stored answer to one command under one ``Idempotency-Key`` of one store; kept seven days.

    ``fingerprint`` is the SHA-256 of method, path and body: the same key with anything else is refused.
    """

    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField(default=dict)
    body = models.BinaryField()
    created_at = models.DateTimeField()

    rights = Rights(all_but=("key",), deletes=True)
    retention = Kept(days=7, least=7, why="a command that is repeated within seven days gets its answer again")

    class Meta(StoreOwned.Meta):
        constraints: ClassVar = [models.UniqueConstraint(fields=["store", "key"], name="command_answer_once")]
        indexes: ClassVar = [models.Index("created_at", name="command_answer_age")]

    def __str__(self) -> str:
        return self.key
