"""Pages on which something is confirmed: one row in one request, read again when it has changed, and done once."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from http import HTTPStatus
from typing import Any, Generic, Self, TypeVar

from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from loyalty.backoffice.base import BackOfficeAdmin
from loyalty.backoffice.forms import first_time
from loyalty.core.clock import read_clock
from loyalty.stores.active_store import acting, active_store
from loyalty.stores.actors import Actor
from loyalty.stores.models import Store

Row = TypeVar("Row", bound=Model | None)
Result = TypeVar("Result")


@dataclass(frozen=True)
class Case(Generic[Row]):
    """A page about ``row``, which is None where there is none yet, in one request; ``now`` is the request's clock."""

    admin: BackOfficeAdmin
    request: HttpRequest
    row: Row
    now: datetime = field(default_factory=read_clock)

    @property
    def store(self) -> Store:
        """The store that the page is about."""
        return active_store(self.request)

    @property
    def actor(self) -> Actor:
        """Who has asked for it."""
        return acting(self.request)

    def again(self, **changes: Any) -> Self:
        """The same with the row and the clock as they are now."""
        row: Model | None = self.row
        fresh: Any = row if row is None else self.admin.row_or_404(self.request, str(row.pk))
        return replace(self, row=fresh, now=read_clock(), **changes)

    def once(self, token: str, act: Callable[[], Result]) -> Result | None:
        """What ``act`` came to; None, and nothing is done, when the form with this ``token`` was carried out before.

        When ``act`` raises, nothing is written and the form can be sent again.
        """
        with transaction.atomic():
            return act() if first_time(token, store=self.store, now=self.now) else None

    def show(self, template: str, context: dict[str, Any], status: int = HTTPStatus.OK) -> HttpResponse:
        """The page."""
        around = self.admin.admin_site.each_context(self.request)
        return TemplateResponse(self.request, template, {**around, **context}, status=status)
