"""Balance imports over REST: a file in parts, its rehearsal, its start, its bad rows, and back."""

from collections.abc import Sequence
from typing import Any, ClassVar, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from loyalty.api.answers.pagination import Ordering
from loyalty.api.answers.problems import Problem
from loyalty.api.idempotency import command
from loyalty.api.requests.permissions import require_scope
from loyalty.api.values import AmountField, Body, BytesField, CurrencyField, TextField, WholeNumberField
from loyalty.api.views import ApiView, ListView
from loyalty.core.errors import Invalid, NotFound
from loyalty.core.phrases import enumerated
from loyalty.importing.csv_rows import SEPARATORS
from loyalty.importing.days import DAY_FIRST, MONTH_FIRST
from loyalty.platforms.registry import PLATFORMS
from loyalty.stores.keys import Scope
from loyalty.stores.models import Store
from orders.api.balance_imports.documents import (
    BadRowDocument,
    BalanceImportDocument,
    bad_row_json,
    import_json,
    imports_json,
    obstacle_json,
)
from orders.models import BalanceImport, BalanceImportRow
from orders.services.balance_imports.layouts.fields import FIELDS
from orders.services.balance_imports.layouts.keep import LONGEST_NAME, kept_layout
from orders.services.balance_imports.layouts.layout import Layout
from orders.services.balance_imports.layouts.suggest import suggest
from orders.services.balance_imports.prune import discard
from orders.services.balance_imports.rehearsal.rehearse import start_reading
from orders.services.balance_imports.start import Told, start
from orders.services.balance_imports.stored_file import stored_file
from orders.services.balance_imports.take_back import CannotTakeBack, take_back
from orders.services.balance_imports.upload import MOST_BYTES, add_part, begin

# Beside `credits:write`: an import makes people known, and gives both kinds (T7).
_MAKES_VALUE: Final = (Scope.POINTS_WRITE, Scope.CUSTOMERS_WRITE)
# And codes worth something, as a reward does.
_MAKES_CODES: Final = (Scope.REDEMPTIONS_WRITE, Scope.SETTINGS_WRITE)
_READ: Final = {"GET": Scope.LEDGER_READ}
_SEND: Final = {"POST": Scope.CREDITS_WRITE}
# A body has at most a megabyte, and base64 makes four characters of three bytes.
_LONGEST_PART: Final = 960_000
_FORM: Final[tuple[str, ...]] = ("separator", "decimal_mark", "day_order", "currency", "platform")


class BalanceImportBody(Body):
    """The file that is to be sent: its name, its size in bytes, and its SHA-256 in hexadecimal, if you have it."""

    file_name = TextField(max_length=200)
    size = WholeNumberField(least=1, most=MOST_BYTES, required=True)
    sha256 = TextField(max_length=64, min_length=64, required=False)


class PartBody(Body):
    """A part of the file: its number from 1, and its bytes as base64, at most 720,000 of them."""

    number = WholeNumberField(least=1, most=1_000_000, required=True)
    content = BytesField(max_length=_LONGEST_PART)


class RehearsalBody(Body):
    """How the file is read, where its names and forms do not say it: columns by what they say, and the form.

    `columns` has the file's column names by what they say: `email`, `external_id`, `amount` … (as in the guide). Or
    `layout`, by itself, is the name of a layout that the store keeps.
    """

    layout = TextField(max_length=LONGEST_NAME, required=False)
    columns = serializers.DictField(child=TextField(max_length=200), required=False)
    separator = serializers.ChoiceField(choices=SEPARATORS, required=False)
    decimal_mark = serializers.ChoiceField(choices=[".", ","], required=False)
    day_order = serializers.ChoiceField(choices=[DAY_FIRST, MONTH_FIRST], required=False)
    currency = CurrencyField(required=False)
    platform = serializers.ChoiceField(choices=list(PLATFORMS), required=False)


class TotalBody(Body):
    """What the old system comes to in all, of one kind; points have no `currency`."""

    kind = serializers.ChoiceField(choices=["credits", "points"])
    currency = CurrencyField(required=False)
    amount = AmountField()


class StartBody(Body):
    """The totals of the old system, and why they may differ from the rehearsal's or are not known."""

    totals = TotalBody(many=True, required=False)
    reason = TextField(max_length=200, required=False)


class _ImportView(ApiView):
    """An import of the key's store."""

    def held(self, text: str) -> BalanceImport:
        """The import in the address."""
        words = gettext_noop("This store has no balance import with the id %(id)s.")
        held: BalanceImport = self.find(BalanceImport.objects.for_store(self.store), text, words)
        held.store = self.store
        return held

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Whoever does anything here may do all that an import does (T7)."""
        super().initial(request, *args, **kwargs)
        if request.method not in SAFE_METHODS:
            for scope in _MAKES_VALUE:
                require_scope(request, scope)


class BalanceImportListView(ListView, _ImportView):
    """The store's balance imports."""

    required_scopes: ClassVar = _READ | _SEND

    @extend_schema(responses=BalanceImportDocument(many=True))
    def get(self, _request: Request) -> Response:
        """Balance imports, newest first."""
        return self.list(BalanceImport.objects.for_store(self.store))

    @command(body=BalanceImportBody, answer={201: OpenApiResponse(BalanceImportDocument, "The import that is begun.")})
    def post(self, request: Request) -> Response:
        """Begin a balance import: the file is sent in parts next, then rehearsed.

        Needs `points:write` and `customers:write` too. A CSV or XLSX file of at most a million rows. Nothing is written
        before it is started.
        """
        values = self.read(BalanceImportBody)
        held = begin(
            store=self.store,
            file_name=values["file_name"],
            size=values["size"],
            sha256=values.get("sha256", ""),
            actor=self.actor,
            now=self.now,
        )
        address = reverse("api-balance-import", args=[held.pk], request=request)
        return Response(import_json(held), status=201, headers={"Location": address})

    def present(self, rows: Sequence[Any]) -> Sequence[Any]:
        """Imports as JSON."""
        return imports_json(rows)


class BalanceImportView(_ImportView):
    """One import."""

    required_scopes: ClassVar = _READ | {"DELETE": Scope.CREDITS_WRITE}

    @extend_schema(responses=BalanceImportDocument)
    def get(self, _request: Request, import_id: str) -> Response:
        """One import: how far it is, what the rehearsal found and what was written."""
        return Response(import_json(self.held(import_id)))

    @extend_schema(responses={204: None})
    def delete(self, _request: Request, import_id: str) -> Response:
        """Throw an import away that was not started. 409 `import-not-ready` for one that was."""
        discard(store=self.store, import_id=self.held(import_id).pk)
        return Response(status=204)


class PartListView(_ImportView):
    """The parts of an import's file."""

    required_scopes: ClassVar = _SEND

    @command(body=PartBody, answer=BalanceImportDocument)
    def post(self, _request: Request, import_id: str) -> Response:
        """Send a part of the file: in their order; one that was sent before changes nothing.

        With the last the file is `uploaded`. 409 `part-out-of-order` names the part that is next, 409 `part-differs`
        says that this one was another before.
        """
        values = self.read(PartBody)
        held = self.held(import_id)
        content = values["content"]
        held = add_part(store=self.store, import_id=held.pk, number=values["number"], content=content, now=self.now)
        return Response(import_json(held))


class RehearsalView(_ImportView):
    """What an import would do."""

    required_scopes: ClassVar = _SEND

    @command(body=RehearsalBody, answer=BalanceImportDocument)
    def post(self, _request: Request, import_id: str) -> Response:
        """Have the file read and rehearsed; nothing is written. Ask for the import until it is `rehearsed` or `failed`.

        Without a body the file's own column names say what is what, for the products that are known.
        """
        values = self.read(RehearsalBody)
        held = self.held(import_id)
        layout = _layout(held, values) if values else {}
        held = start_reading(store=self.store, import_id=held.pk, layout=layout, now=self.now)
        return Response(import_json(held))


class StartView(_ImportView):
    """Carrying an import out."""

    required_scopes: ClassVar = _SEND

    @command(body=StartBody, answer=BalanceImportDocument)
    def post(self, request: Request, import_id: str) -> Response:
        """Start an import: a worker carries it out.

        409 `totals-differ` unless the totals agree or a `reason` says why not. Needs `points:write` and
        `customers:write` too; with codes also `redemptions:write` and `settings:write`. One that was started is
        answered as it is.
        """
        held = self.held(import_id)
        for scope in _MAKES_CODES if held.summary.get("codes") else ():
            require_scope(request, scope)
        values = self.read(StartBody)
        told = [_told(one, place, self.store.currency) for place, one in enumerate(values.get("totals", ()))]
        reason = values.get("reason", "")
        held = start(store=self.store, import_id=held.pk, told=told, reason=reason, actor=self.actor, now=self.now)
        return Response(import_json(held))


class TakeBackView(_ImportView):
    """Taking an import back."""

    required_scopes: ClassVar = _SEND

    @command(body=None, answer=BalanceImportDocument)
    def post(self, _request: Request, import_id: str) -> Response:
        """Take an import back: everything that it gave; customers and the old history stay.

        409 `import-was-used` once something of it was spent or changed: `obstacles` are the first hundred of
        `obstacle_count`. Needs `points:write` and `customers:write` too.
        """
        held = self.held(import_id)
        try:
            held = take_back(store=self.store, import_id=held.pk, actor=self.actor, now=self.now)
        except CannotTakeBack as refused:
            found = [obstacle_json(one) for one in refused.obstacles]
            members = {"obstacles": found, "obstacle_count": refused.count}
            raise Problem.of(refused, members=members) from refused
        return Response(import_json(held))


class BadRowListView(ListView, _ImportView):
    """What is wrong with the rows of an import."""

    required_scopes: ClassVar = _READ

    orderings: ClassVar = (Ordering("position", descending=False),)

    @extend_schema(responses=BadRowDocument(many=True))
    def get(self, _request: Request, import_id: str) -> Response:
        """The rows that are not imported: in the file's order, each with what is wrong and in which column."""
        held = self.held(import_id)
        self.layout = Layout.from_json(held.layout)
        rows = BalanceImportRow.objects.for_store(self.store).filter(balance_import=held)
        return self.list(rows.exclude(problem=""))

    def present(self, rows: Sequence[Any]) -> Sequence[Any]:
        """Rows as JSON."""
        return [bad_row_json(row, self.layout) for row in rows]


def _layout(held: BalanceImport, values: dict[str, Any]) -> dict[str, Any]:
    if "layout" in values:
        return _kept(held.store, **values)
    columns: dict[str, str] | None = values.get("columns")
    unknown = sorted(set(columns or ()) - set(FIELDS))
    if unknown:
        known = _("These are known: %(names)s.") % {"names": enumerated(FIELDS)}
        raise Invalid.at("/columns", known, code="unknown")
    said: dict[str, str] = {name: values[name] for name in _FORM if name in values}
    with stored_file(held) as file:
        return suggest(file, said, held.store, columns=columns).layout.to_json()


def _kept(store: Store, layout: str, **others: Any) -> dict[str, Any]:
    if others:
        words = _("A kept layout says this; leave it out, or leave the layout out.")
        raise Invalid.at(f"/{min(others)}", words, code="invalid")
    try:
        return kept_layout(store, layout)
    except NotFound as missing:
        raise Invalid.at("/layout", str(missing.detail), code="unknown") from missing


def _told(said: dict[str, Any], place: int, own: str) -> Told:
    if said["kind"] == "points":
        if "currency" in said:
            words = _("Points have no currency.")
            raise Invalid.at(f"/totals/{place}/currency", words, code="invalid")
        return Told("points", "", said["amount"])
    return Told("credits", said.get("currency", own), said["amount"])
