"""Who did something: a person, a REST client, a job, a rule or a platform.

The ledgers and the journal keep an actor as a short reference without personal data, such as ``user:12``;
:func:`actor_names` turns references into names for people when a page is shown.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from django.utils.translation import gettext, gettext_noop

from loyalty.stores.keys import Scope, allows_scope
from loyalty.stores.models import ApiKey, FormerActor, User


class ActorType(StrEnum):
    """What kind of actor a reference names."""

    USER = "user"
    API_KEY = "api_key"
    JOB = "job"
    RULE = "rule"
    PLATFORM = "platform"
    SYSTEM = "system"


class Trigger(StrEnum):
    """What caused a cancel or a revert (domain §1)."""

    ADMIN = "admin"
    API = "api"
    BULK = "bulk"
    PAYMENT_EXPIRED = "payment_expired"
    PAYMENT_FAILED = "payment_failed"
    RULE_STATUS = "rule_status"
    RULE_TAG = "rule_tag"
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is acting. ``ref`` is what is stored.

    ``may_award``: whether what he does to an order may earn its customer points by the store's rule. A key without
    ``points:write``, or a person with a limit, could otherwise make points by writing orders down (T7).
    """

    type: ActorType
    key: str
    may_award: bool = field(default=True, compare=False)

    @property
    def ref(self) -> str:
        """The stored form, such as ``user:12`` or ``job:credits.expire_lots``."""
        return f"{self.type}:{self.key}"

    @classmethod
    def from_ref(cls, ref: str) -> "Actor":
        """The actor behind a stored reference, such as ``user:12``. Raises ValueError for what is none."""
        actor_type, _, key = ref.partition(":")
        return cls(ActorType(actor_type), key)

    @classmethod
    def user(cls, user: User, *, may_award: bool = True) -> "Actor":
        """A person signed in to the back-office."""
        return cls(ActorType.USER, str(user.pk), may_award)

    @classmethod
    def api_key(cls, api_key: ApiKey) -> "Actor":
        """A REST client."""
        return cls(ActorType.API_KEY, str(api_key.pk), allows_scope(api_key, Scope.POINTS_WRITE))

    @classmethod
    def job(cls, name: str) -> "Actor":
        """A periodic job, by its fixed name."""
        return cls(ActorType.JOB, name)

    @classmethod
    def rule(cls, name: str) -> "Actor":
        """A rule that a store has set up."""
        return cls(ActorType.RULE, name)

    @classmethod
    def platform(cls, name: str) -> "Actor":
        """A shop platform, by its name."""
        return cls(ActorType.PLATFORM, name)

    @classmethod
    def command(cls, name: str) -> "Actor":
        """A management command run on the server."""
        return cls(ActorType.SYSTEM, name)


@dataclass(frozen=True, slots=True)
class Act:
    """One act: who does it, what caused it, and the moment it is done at, the same for everything it writes.

    ``trigger`` is a :class:`Trigger`, or a word of the ledgers' own for what no order caused, such as an import.
    """

    actor: Actor
    trigger: str
    now: datetime


_RULES = {"spent_revert": gettext_noop("Spent-revert rules")}


class _Names(dict[str, str]):
    """Names by reference; one that has none is its own."""

    def __missing__(self, ref: str) -> str:
        return ref


def actor_names(refs: Iterable[str]) -> dict[str, str]:
    """Names for people by reference; at most three queries whatever the number of references.

    A person or key that no longer exists keeps its reference as name, and so does a reference that was not asked for.
    Callers pass references taken from one store's rows, so no other store's people can be named.
    """
    wanted = set(refs)
    names = _Names({ref: _plain_name(ref) for ref in wanted})
    users = _keys(wanted, ActorType.USER)
    if users:
        names.update({f"user:{user.pk}": str(user) for user in User.objects.filter(pk__in=users)})
    api_keys = _keys(wanted, ActorType.API_KEY)
    if api_keys:
        names.update(
            {
                f"api_key:{key.pk}": gettext("API key “%(name)s”") % {"name": key.name}
                for key in ApiKey.unscoped.filter(pk__in=api_keys)
            }
        )
    former = {int(match[1]): ref for ref in wanted if (match := _FORMER.fullmatch(ref))}
    if former:
        names.update({former[row.pk]: row.name for row in FormerActor.unscoped.filter(pk__in=former)})
    return names


# Whoever acted before the store moved here.
_FORMER: Final = re.compile(r"(?:user|api_key):f([0-9]{1,18})", re.ASCII)


def _keys(refs: set[str], actor_type: ActorType) -> list[int]:
    key = re.compile(rf"{actor_type}:([0-9]{{1,18}})", re.ASCII)
    return [int(match[1]) for ref in refs if (match := key.fullmatch(ref))]


def _plain_name(ref: str) -> str:
    actor_type, _, key = ref.partition(":")
    if actor_type == ActorType.RULE:
        # A rule that this release does not know is called by its name (L8).
        return gettext(_RULES.get(key, key))
    return gettext("Job %(key)s") % {"key": key} if actor_type == ActorType.JOB else key
