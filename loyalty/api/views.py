"""What every view of the API stands on: its store, its actor, its clock, its lists, its bodies."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, TypeVar, cast

from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.translation import gettext
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from loyalty.api.answers.documents import PlainRows
from loyalty.api.answers.pagination import NEWEST, Ordering, read_page
from loyalty.api.answers.problems import Problem
from loyalty.api.openapi.schema import CursorPages
from loyalty.api.requests.authentication import ApiKeyAuthentication
from loyalty.api.requests.filters import Filters, StrictFilters, parameters_of_list, refuse_unknown_parameters
from loyalty.api.requests.methods import KnownMethods
from loyalty.api.requests.parsing import read_body
from loyalty.api.requests.permissions import HasScope
from loyalty.api.requests.throttling import KeyThrottle
from loyalty.api.values import Body
from loyalty.core.clock import read_clock
from loyalty.core.errors import NotFound
from loyalty.core.phrases import enumerated
from loyalty.core.values import parse_id
from loyalty.customers.merged import find_person
from loyalty.stores.actors import Act, Actor, Trigger
from loyalty.stores.models import ApiKey, Customer, Store

Row = TypeVar("Row", bound=Model)


class ApiView(KnownMethods):
    """A view for one API key of one store. ``required_scopes`` names the scope of each method it has."""

    authentication_classes = [ApiKeyAuthentication]
    permission_classes = [HasScope]
    throttle_classes = [KeyThrottle]
    required_scopes: ClassVar[Mapping[str, str]]
    query_parameters: ClassVar[frozenset[str]] = frozenset()
    # Whether an answer may hold a secret, so that what is kept of it for repeats is kept encrypted.
    answers_secrets: ClassVar[bool] = False

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Who asks, may they, not too often, not too much, nothing that nobody knows and nothing that is no JSON."""
        super().initial(request, *args, **kwargs)
        if any("\x00" in text for text in kwargs.values()):
            raise NotFound(gettext("Not found in this store."))
        _refuse_encoded(request)
        refuse_unknown_parameters(request, self.known_parameters(request))
        # Read here, so that a broken body is told of at every address, also where none is wanted.
        _ = request.data

    def known_parameters(self, _request: Request) -> frozenset[str]:
        """The query parameters of this address."""
        return self.query_parameters

    @cached_property
    def api_key(self) -> ApiKey:
        """The key that asks."""
        key: Any = self.request.auth
        return cast(ApiKey, key)

    @property
    def store(self) -> Store:
        """The key's store: nothing of another one is ever seen (T1)."""
        return self.api_key.store

    @property
    def actor(self) -> Actor:
        """Who acts."""
        return Actor.api_key(self.api_key)

    @cached_property
    def now(self) -> datetime:
        """The instant of this request; the clock is read once."""
        return read_clock()

    @property
    def act(self) -> Act:
        """Who acts, over REST, at the instant of this request."""
        return Act(self.actor, Trigger.API, self.now)

    def key_of(self, text: str) -> int:
        """The row behind an id in the address. Raises NotFound for one that cannot be ours."""
        key = parse_id(text)
        if key is None:
            raise NotFound(gettext("Not found in this store."))
        return key

    def find(self, rows: "QuerySet[Row]", text: str, missing: str) -> Row:
        """The one of these rows that the id in the address is of. Raises NotFound, which says ``missing`` (T1)."""
        row = rows.filter(pk=self.key_of(text)).first()
        if row is None:
            raise NotFound(gettext(missing) % {"id": text})
        return row

    def customer(self, text: str) -> Customer:
        """The customer whom the id in the address leads to (O7). Raises NotFound (T1)."""
        customer = find_person(self.store, self.key_of(text))
        if customer is None:
            raise NotFound(gettext("This store has no customer with the id %(id)s.") % {"id": text})
        return customer

    def read(self, body: type[Body], *, partial: bool = False, **context: Any) -> dict[str, Any]:
        """The request's body. Raises ValidationError (422) with a pointer for each wrong field."""
        known = {"store": self.store, "now": self.now, **context}
        serializer = body(data=self.request.data, partial=partial, context=known)
        serializer.is_valid(raise_exception=True)
        values: dict[str, Any] = serializer.validated_data
        return values


class ListView(ApiView):
    """A list: newest first unless ``orderings`` offers others, filtered, in cursor pages."""

    pagination_class = CursorPages
    filter_backends: ClassVar = [StrictFilters]
    filterset_class: ClassVar[type[Filters] | None] = None
    orderings: ClassVar[Sequence[Ordering]] = (NEWEST,)
    # What is shown of a row is read as plain values where a page's rows are many and wide.
    plain_rows: ClassVar[PlainRows | None] = None

    def known_parameters(self, request: Request) -> frozenset[str]:
        """A list's GET has its filters, the page's parameters and, with a choice, ``ordering``."""
        if request.method not in ("GET", "HEAD"):
            return self.query_parameters
        ordering = {"ordering"} if len(self.orderings) > 1 else set()
        return self.query_parameters | parameters_of_list(self.filterset_class) | ordering

    def list(self, rows: "QuerySet[Any]") -> Response:
        """The page of ``rows`` that is asked for."""
        for backend in self.filter_backends:
            rows = backend().filter_queryset(self.request, rows, self)
        plain = self.plain_rows
        page = read_page(
            plain.of(rows) if plain else rows,
            self.request,
            ordering=self._ordering(),
            read=plain.read if plain else None,
        )
        return Response({"next": page.next, "previous": page.previous, "results": self.present(page.rows)})

    def present(self, rows: Sequence[Any]) -> Sequence[Any]:
        """The rows of one page as JSON; what they need looked up is looked up for all of them at once."""
        raise NotImplementedError

    def _ordering(self) -> Ordering:
        asked = self.request.query_params
        known = {ordering.name: ordering for ordering in self.orderings}
        if "ordering" not in asked:
            # A cursor goes on in its own order.
            return known.get(asked.get("cursor", "").partition(".")[0], self.orderings[0])
        if asked["ordering"] not in known:
            detail = gettext("“ordering” is one of %(known)s.") % {"known": enumerated(known)}
            raise Problem("invalid-parameter", detail, members={"parameter": "ordering"})
        return known[asked["ordering"]]


def _refuse_encoded(request: Request) -> None:
    """Raise Problem for a body that is packed: taken for what it is not, it would be a riddle for whoever sent it."""
    coding = request.META.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    if read_body(request) and coding not in ("", "identity"):
        words = gettext("The body must be sent as it is, without the Content-Encoding “%(coding)s”.") % {
            "coding": coding[:40]
        }
        raise Problem("unsupported-media-type", words)


class UnknownAddress(APIView):
    """Everything under the API's prefix that is nothing else."""

    authentication_classes = []
    permission_classes = []
    throttle_classes = []
    schema = None

    def dispatch(self, request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:
        """404, whatever the method."""
        words = gettext("There is nothing at this address.")
        if not request.path.endswith("/"):
            words = gettext("There is nothing at this address. Addresses end with a slash.")
        return Problem("not-found", words).to_response()
