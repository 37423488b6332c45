"""Stores, the people and programs that act for them, and their customers (T1-T4)."""

import zoneinfo
from decimal import Decimal
from typing import Any, ClassVar

import pgtrigger
from django.apps import apps
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext, gettext_lazy

from loyalty.core.locales import locale_to_read
from loyalty.database.retention import Kept, for_ever, while_needed
from loyalty.database.rights import INSERT_ONLY, Rights
from loyalty.stores.compared import KEEPS_SEARCH_KEY, Dialled, Folded, NameKey
from loyalty.stores.logos import Logo as Logo
from loyalty.stores.scoping import SameStoreKey, StoreOwned, unique_in_store
from loyalty.stores.slugs import check_slug

_CURRENCY = RegexValidator(r"^[A-Z]{3}$", gettext_lazy("Three capital letters: USD."))


def check_time_zone(value: str) -> None:
    """Raise ValidationError unless ``value`` is an IANA time zone such as Asia/Taipei."""
    if value not in zoneinfo.available_timezones():
        words = gettext("“%(value)s” is not a time zone such as Asia/Taipei.") % {"value": value}
        raise ValidationError(words, code="time-zone")


class SecondFactor(models.TextChoices):
    """Whom a store asks for a second factor (T6)."""

    NOBODY = "nobody", gettext_lazy("Nobody has to")
    MANAGERS = "managers", gettext_lazy("Owners and managers")
    EVERYBODY = "everybody", gettext_lazy("Everybody who works here")


class Store(models.Model):
    """A tenant: a merchant's shop. Its time zone decides every date, its currency and locale how values look (T4)."""

    slug = models.SlugField(max_length=50, unique=True, validators=[check_slug])
    name = models.CharField(max_length=100)
    currency = models.CharField(max_length=3, validators=[_CURRENCY])
    time_zone = models.CharField(max_length=50, validators=[check_time_zone])
    locale = models.CharField(max_length=20, default="en")
    # On the store and not among its settings: it is asked before anything else is read, for every page.
    second_factor = models.CharField(max_length=10, choices=SecondFactor.choices, default=SecondFactor.NOBODY)
    created_at = models.DateTimeField()

    rights = Rights(all_but=())
    retention = while_needed("as long as the store")

    class Meta:
        verbose_name = gettext_lazy("store")
        verbose_name_plural = gettext_lazy("stores")
        ordering = (NameKey("name"),)
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="store_currency_is_a_code"),
            models.CheckConstraint(
                condition=Q(second_factor__in=SecondFactor.values), name="store_second_factor_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def written_in(self) -> str:
        """The locale that this store's dates and amounts are written in for who reads now (T4)."""
        return locale_to_read(self.locale)

    @property
    def tz(self) -> zoneinfo.ZoneInfo:
        """The zone in which this store's days begin and end."""
        return zoneinfo.ZoneInfo(self.time_zone)


class UserManager(BaseUserManager["User"]):
    """Creates people who sign in with their e-mail address."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A person who may sign in to the back-office."""
        fields.setdefault("is_staff", True)
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A platform operator, who sees all stores (T2). Who makes one at the machine vouches for the address (T6)."""
        user = self.create_user(email, password, is_superuser=True, **fields)
        apps.get_model("account", "EmailAddress")._default_manager.create(
            user=user, email=user.email, verified=True, primary=True
        )
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        """The person behind an e-mail address, whatever its case."""
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, PermissionsMixin):
    """Somebody who works in the back-office; the role depends on the store (T2)."""

    email = models.EmailField("e-mail address", max_length=254, unique=True)
    name = models.CharField(max_length=100, blank=True)
    # What he reads the back-office in; empty: what his browser asks for, else his store's (T4).
    language = models.CharField(max_length=20, blank=True, default="", db_default="")
    is_staff = models.BooleanField("may sign in", default=True)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = UserManager()

    rights = Rights(all_but=())
    retention = while_needed("as long as the account")

    class Meta:
        ordering = ("email",)
        constraints: ClassVar = [models.UniqueConstraint(Lower("email"), name="user_email_ignoring_case")]

    def __str__(self) -> str:
        return self.name or self.email

    def get_short_name(self) -> str:
        """How the page greets this person."""
        return self.name or self.email


class Role(models.TextChoices):
    """What a person may do in one store; :mod:`loyalty.stores.roles` says what each may do."""

    OWNER = "owner", gettext_lazy("Owner")
    MANAGER = "manager", gettext_lazy("Manager")
    SUPPORT = "support", gettext_lazy("Support")
    VIEWER = "viewer", gettext_lazy("Viewer")


class Membership(models.Model):
    """One person's role in one store (T2)."""

    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices)

    rights = Rights(changes=("role",), deletes=True)
    retention = while_needed("as long as somebody works there")

    class Meta:
        verbose_name = gettext_lazy("staff member")
        verbose_name_plural = gettext_lazy("staff members")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["store", "user"], name="membership_once_per_store"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="membership_role_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.get_role_display()})"


class DayOfAdjusting(StoreOwned):
    """How much one person has given and removed by hand on one local day (T7).

    ``amount`` adds up both, in the store's currency or in points. The row is locked by whoever adjusts, so that the
    same person in two tabs is one behind the other.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=7, choices=[("credits", "Credits"), ("points", "Points")])
    day = models.DateField()
    amount = models.DecimalField(max_digits=18, decimal_places=3, default=Decimal(0))

    rights = Rights(changes=("amount",), deletes=True)
    retention = Kept(days=7, least=2, since="day", why="how much staff gave by hand on a day that is over everywhere")

    class Meta(StoreOwned.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["store", "user", "kind", "day"], name="dayofadjusting_once"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="dayofadjusting_not_negative"),
        ]
        indexes: ClassVar = [models.Index("day", name="dayofadjusting_by_day")]

    def __str__(self) -> str:
        return f"{self.kind} on {self.day}"


class ApiKey(StoreOwned):
    """A REST client's key for one store (T3): shown once, stored as the SHA-256 of its secret part."""

    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=16, unique=True, editable=False)
    secret_hash = models.CharField(max_length=64, editable=False)
    scopes = ArrayField(models.CharField(max_length=40))
    created_at = models.DateTimeField(editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    rights = Rights(changes=("revoked_at", "last_used_at"))
    retention = for_ever("the history names keys, also those that were taken back")

    class Meta(StoreOwned.Meta):
        verbose_name = gettext_lazy("API key")
        verbose_name_plural = gettext_lazy("API keys")
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return self.name


class Customer(StoreOwned):
    """Somebody who buys in one store and holds its credits and points.

    ``external_id`` is the store's own number for him; those that platforms gave him are :class:`PlatformId` (O7). Who
    was merged into somebody stays as a row whose id, e-mail and history lead to the kept one, never by more than one
    step.

    E-mail addresses and phones are compared by columns of their own: behind a policy PostgreSQL uses an index for plain
    equality, and for no expression (ADR 0039). ``search_key`` is what they are found by
    parts of (ADR 0067).
    """

    external_id = models.CharField(max_length=100, null=True, blank=True)
    email = models.EmailField("e-mail", max_length=254, blank=True)
    name = models.CharField(max_length=200, blank=True)
    phone = models.CharField(max_length=50, blank=True)
    locale = models.CharField(max_length=20, blank=True)
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)
    folded_email = models.GeneratedField(expression=Folded("email"), output_field=models.TextField(), db_persist=True)
    dialled_phone = models.GeneratedField(expression=Dialled("phone"), output_field=models.TextField(), db_persist=True)
    search_key = models.TextField(db_default="", editable=False)
    merged_into = SameStoreKey("self", null=True, blank=True, editable=False)
    merged_at = models.DateTimeField(null=True, blank=True, editable=False)
    no_reminders_since = models.DateTimeField(null=True, blank=True, editable=False)

    rights = Rights(all_but=("created_at", "search_key"))
    retention = while_needed("as long as the store; erasing a person empties the row")

    class Meta(StoreOwned.Meta):
        verbose_name = gettext_lazy("customer")
        verbose_name_plural = gettext_lazy("customers")
        constraints: ClassVar = [
            unique_in_store("customer_in_store"),
            models.CheckConstraint(
                condition=Q(merged_into__isnull=True, merged_at__isnull=True)
                | (Q(merged_into__isnull=False, merged_at__isnull=False) & ~Q(merged_into=models.F("id"))),
                name="customer_merged_into_another",
            ),
            models.UniqueConstraint(fields=["store", "external_id"], name="customer_external_id_once"),
            models.CheckConstraint(condition=~Q(external_id=""), name="customer_external_id_not_empty"),
        ]
        indexes: ClassVar = [
            models.Index("store", models.F("id").desc(), name="customer_newest"),
            models.Index("store", "folded_email", name="customer_folded_email"),
            models.Index("store", "dialled_phone", condition=Q(dialled_phone__gt=""), name="customer_dialled_phone"),
            models.Index("merged_into", condition=Q(merged_into__isnull=False), name="customer_merged_into"),
            GinIndex("store", OpClass("search_key", "gin_trgm_ops"), name="customer_search_key"),
        ]
        triggers: ClassVar = [KEEPS_SEARCH_KEY]

    def __str__(self) -> str:
        return self.name or self.email or self.external_id or gettext("Customer %(pk)s") % {"pk": self.pk}

    @property
    def kept(self) -> "Customer":
        """The customer whom this one was merged into, or himself."""
        return self.merged_into or self


class PlatformId(StoreOwned):
    """A customer's id on a shop platform (O7): two platforms' numbers, and the store's own, are different numbers.

    One is current per platform; ``replaced_at`` says since when another one is. Whoever had several, because the
    account was made anew there or was merged, is found by all of them.
    """

    customer = SameStoreKey(Customer)
    platform = models.CharField(max_length=20)
    external_id = models.CharField(max_length=100)
    created_at = models.DateTimeField()
    replaced_at = models.DateTimeField(null=True, blank=True)

    rights = Rights(changes=("customer", "replaced_at"), deletes=True)
    retention = while_needed("as long as the customer")

    class Meta(StoreOwned.Meta):
        verbose_name = gettext_lazy("platform id")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["store", "platform", "external_id"], name="platform_id_once"),
            models.UniqueConstraint(
                fields=["customer", "platform"],
                condition=Q(replaced_at__isnull=True),
                name="platform_id_current_once",
            ),
            models.CheckConstraint(condition=~Q(platform="") & ~Q(external_id=""), name="platform_id_not_empty"),
        ]
        indexes: ClassVar = [
            models.Index("customer", name="platform_id_of_customer"),
            models.Index("store", "external_id", name="platform_id_search"),
        ]

    def __str__(self) -> str:
        return self.external_id


class SettingsVersion(StoreOwned):
    """One saved state of a store's settings (H4); the highest version governs. Rows are never changed."""

    version = models.PositiveIntegerField()
    data = models.JSONField()
    actor = models.CharField(max_length=100)
    created_at = models.DateTimeField()

    rights = INSERT_ONLY
    retention = for_ever("the way back, and by which settings something was decided")

    class Meta(StoreOwned.Meta):
        verbose_name = gettext_lazy("settings version")
        verbose_name_plural = gettext_lazy("settings versions")
        constraints: ClassVar = [models.UniqueConstraint(fields=["store", "version"], name="settings_version_once")]

    def __str__(self) -> str:
        return gettext("Version %(version)s") % {"version": self.version}


class Remark(StoreOwned):
    """What a person typed as reason or note. Erasable: the insert-only ledger points here instead (H1)."""

    reason = models.CharField(max_length=200, blank=True)
    note = models.TextField(max_length=2000, blank=True)
    created_at = models.DateTimeField()

    # Emptied when a person is erased, as the trigger allows.
    rights = Rights(changes=("reason", "note"))
    retention = for_ever("the reasons in the history; erasing a person empties them")

    class Meta(StoreOwned.Meta):
        constraints: ClassVar = [unique_in_store("remark_in_store")]
        triggers: ClassVar = [
            pgtrigger.Protect(
                name="is_emptied_or_stays",
                operation=pgtrigger.Update,
                condition=~pgtrigger.Q(new__reason="", new__note=""),
            )
        ]

    def __str__(self) -> str:
        return self.reason or self.note


class FormerActor(StoreOwned):
    """Somebody, or an API key, that acted in the store where it was before it moved here: a name, and no account.

    Histories refer to him as ``user:f7`` or ``api_key:f7``, so that nobody who has that number here is meant.
    """

    name = models.TextField()

    rights = Rights(changes=("name",))
    retention = for_ever("names in the history of those who have gone")

    def __str__(self) -> str:
        return self.name


class SentForm(StoreOwned):
    """A form that was carried out, by the token that came with it: sent twice, it counts once."""

    token = models.CharField(max_length=40, unique=True)
    created_at = models.DateTimeField()

    rights = Rights(deletes=True)
    retention = Kept(days=30, why="a form that is sent twice counts once; nobody keeps one open for a month")

    def __str__(self) -> str:
        return self.token
