"""Invitations, the letters of accounts, and how often somebody has tried (T6)."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy

from loyalty.database.retention import Kept, while_needed
from loyalty.database.rights import Rights
from loyalty.stores.models import Role, Store, User
from loyalty.stores.scoping import SameStoreKey, StoreOwned, unique_in_store


class Invitation(StoreOwned):
    """A store's offer of a role to whoever reads the mail of an address. The link's secret is kept as its SHA-256."""

    email = models.EmailField(max_length=254)
    role = models.CharField(max_length=10, choices=Role.choices)
    invited_by = models.CharField(max_length=100)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    # Empty until the link is written into its letter, and again once the link counts no more.
    secret_hash = models.CharField(max_length=64, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    rights = Rights(all_but=("email",), deletes=True)
    retention = Kept(days=365, since="expires_at", why="whom a store invited; staff can look back for a year")

    class Meta(StoreOwned.Meta):
        constraints: ClassVar = [
            unique_in_store("invitation_in_store"),
            models.UniqueConstraint(
                fields=["store", "email"],
                condition=Q(accepted_at__isnull=True, withdrawn_at__isnull=True),
                name="invitation_open_once",
            ),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="invitation_role_is_known"),
            models.CheckConstraint(
                condition=Q(accepted_at__isnull=True) | Q(withdrawn_at__isnull=True),
                name="invitation_accepted_or_withdrawn",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email} as {self.role}"


class LetterKind(models.TextChoices):
    """What a letter is about."""

    RESET = "reset", gettext_lazy("A link to choose a password")
    INVITATION = "invitation", gettext_lazy("An invitation")
    NEWS = "news", gettext_lazy("What was changed on the account")
    TRIAL = "trial", gettext_lazy("A letter to customers, sent to oneself to try it")


class Letter(models.Model):
    """A mail to somebody who signs in, or may. Links are made when it is sent, so no secret waits in this table.

    A reset is written for every address that somebody asks for: whether it has an account is looked up when it is sent,
    so that neither the answer nor its speed tells. ``base`` is where the product is reached, such as https://a.example.
    """

    kind = models.CharField(max_length=10, choices=LetterKind.choices)
    email = models.EmailField(max_length=254)
    base = models.CharField(max_length=300)
    # That of whoever caused it; an invitation is in the language of its store.
    language = models.CharField(max_length=20, blank=True, default="", db_default="")
    store = models.ForeignKey(Store, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    invitation = SameStoreKey(Invitation, null=True, blank=True)
    subject = models.CharField(max_length=200, blank=True)
    text = models.TextField(blank=True)
    # Of a letter that is tried; the others are made when they are sent.
    html = models.TextField(blank=True, default="", db_default="")
    created_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    last_error = models.CharField(max_length=200, blank=True)

    rights = Rights(changes=("attempts", "next_attempt_at", "last_error"), deletes=True)
    retention = while_needed("only while it waits: it is deleted when it is sent or given up")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind=LetterKind.INVITATION, store__isnull=False, invitation__isnull=False)
                | Q(kind=LetterKind.TRIAL, store__isnull=False, invitation__isnull=True)
                | Q(kind__in=[LetterKind.RESET, LetterKind.NEWS], store__isnull=True, invitation__isnull=True),
                name="letter_names_what_it_is_about",
            ),
        ]
        indexes: ClassVar = [models.Index("next_attempt_at", name="letter_due")]

    def __str__(self) -> str:
        return self.get_kind_display()


class Tries(models.Model):
    """How often one thing was tried of late, and until when it is paused; names are kept as keyed hashes only."""

    kind = models.CharField(max_length=20)
    account = models.CharField(max_length=64, blank=True)
    client = models.CharField(max_length=64, blank=True)
    count = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField()
    paused_until = models.DateTimeField(null=True, blank=True)

    rights = Rights(changes=("count", "last_at", "paused_until"), deletes=True)
    retention = Kept(days=1, since="last_at", why="what stops guessing counts anew after a day")

    class Meta:
        verbose_name_plural = gettext_lazy("tries")
        constraints: ClassVar = [models.UniqueConstraint(fields=["kind", "account", "client"], name="tries_once")]
        indexes: ClassVar = [
            models.Index("account", name="tries_of_account"),
            models.Index("last_at", name="tries_to_prune"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.count}"
