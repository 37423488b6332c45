"""What is answered about balance imports."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final

from rest_framework import serializers

from loyalty.api.answers.documents import JSON, Document
from loyalty.api.values import InstantField, ValueField
from loyalty.core.values import value_json
from orders.models import BalanceImport, BalanceImportRow, ImportState
from orders.services.balance_imports.layouts.layout import Layout
from orders.services.balance_imports.problems import words_of
from orders.services.balance_imports.start import compare, told_of
from orders.services.balance_imports.take_back import Obstacle
from orders.services.balance_imports.upload import parts_of

_KIND: Final = ["credits", "points"]


class ImportTotalDocument(Document):
    """Lots of one kind, currency (points: null) and month of expiry (`YYYY-MM`, null for never)."""

    kind = serializers.ChoiceField(choices=_KIND)
    currency = serializers.CharField(allow_null=True)
    month = serializers.CharField(allow_null=True)
    lots = serializers.IntegerField()
    amount = ValueField()


class ComparedTotalDocument(Document):
    """A kind and currency in all: of the file, and of the old system where that was said."""

    kind = serializers.ChoiceField(choices=_KIND)
    currency = serializers.CharField(allow_null=True)
    found = ValueField()
    told = ValueField(allow_null=True)
    agrees = serializers.BooleanField()


class ProblemCountDocument(Document):
    """How many rows are not imported for one cause."""

    code = serializers.CharField()
    rows = serializers.IntegerField()
    detail = serializers.CharField()


class AlikeDocument(Document):
    """An e-mail address that several numbers of the file have: each becomes a customer of its own."""

    email = serializers.CharField()
    numbers = serializers.IntegerField()
    row = serializers.IntegerField()


class RehearsalDocument(Document):
    """What would happen; `known` of the people are here already, `alike` are the first hundred of `alike_count`.

    `brought_before` rows have no reference and give somebody what another import gave: they would be given twice.
    `same_again` rows have none either and give somebody the same as an earlier row of the file: both are given.
    """

    rows = serializers.IntegerField()
    bad_rows = serializers.IntegerField()
    people = serializers.IntegerField()
    known = serializers.IntegerField()
    past = serializers.IntegerField()
    codes = serializers.IntegerField()
    problems = ProblemCountDocument(many=True)
    totals = ImportTotalDocument(many=True)
    compared = ComparedTotalDocument(many=True)
    alike = AlikeDocument(many=True)
    alike_count = serializers.IntegerField()
    brought_before = serializers.IntegerField()
    same_again = serializers.IntegerField()


class ImportResultDocument(Document):
    """What was written, read from the ledger."""

    totals = ImportTotalDocument(many=True)
    past = serializers.IntegerField()
    codes = serializers.IntegerField()


class BalanceImportDocument(Document):
    """An import and how far it is; `next_part` is the part of the file that is to be sent next, null when it is whole.

    `rehearsal` is there once the file was read, `result` once everything is written.
    """

    id = serializers.CharField()
    state = serializers.ChoiceField(choices=ImportState.values)
    file_name = serializers.CharField()
    size = serializers.IntegerField()
    received = serializers.IntegerField()
    next_part = serializers.IntegerField(allow_null=True)
    sha256 = serializers.CharField(allow_null=True)
    rows_read = serializers.IntegerField()
    items = serializers.IntegerField()
    items_done = serializers.IntegerField()
    failure = serializers.CharField(allow_null=True)
    rehearsal = RehearsalDocument(allow_null=True)
    result = ImportResultDocument(allow_null=True)
    created_at = InstantField()
    rehearsed_at = InstantField(allow_null=True)
    started_at = InstantField(allow_null=True)
    finished_at = InstantField(allow_null=True)
    taken_back_at = InstantField(allow_null=True)


class BadRowDocument(Document):
    """One thing that is wrong with a row of the file, or why it is left out."""

    row = serializers.IntegerField(source="position")
    column = serializers.CharField()
    value = serializers.CharField(source="said")
    code = serializers.CharField(source="problem")
    detail = serializers.CharField()


class ObstacleDocument(Document):
    """What keeps an import from being taken back: a lot, or a code, that was used or changed since."""

    kind = serializers.ChoiceField(choices=[*_KIND, "code"])
    customer = serializers.CharField()
    lot = serializers.CharField(allow_null=True)
    redemption = serializers.CharField(allow_null=True)
    order = serializers.CharField(allow_null=True)
    what = serializers.CharField()


def imports_json(imports: Sequence[BalanceImport]) -> list[JSON]:
    """Several imports of one store; one query beside theirs."""
    sent = parts_of(imports)
    return [import_json(held, sent.get(held.pk, 0)) for held in imports]


def import_json(held: BalanceImport, sent: int | None = None) -> JSON:
    """One import; ``sent`` is how many parts of its file are here, where that was looked up."""
    whole = held.state != ImportState.UPLOADING
    if sent is None:
        sent = parts_of([held]).get(held.pk, 0)
    return BalanceImportDocument.of(
        held,
        id=str(held.pk),
        sha256=held.sha256 or None,
        failure=held.failure or None,
        next_part=None if whole else sent + 1,
        rehearsal=_rehearsal(held) if held.summary else None,
        result=_result(held.result) if held.result else None,
    )


def bad_row_json(row: BalanceImportRow, layout: Layout) -> JSON:
    """One thing that is wrong, with the file's own name of the column."""
    return BadRowDocument.of(row, column=layout.heading(row.column), detail=words_of(row.problem))


def obstacle_json(found: Obstacle) -> JSON:
    """One thing that stands in the way."""
    ids = {"lot": found.lot_id, "redemption": found.redemption_id, "order": found.order_id}
    return ObstacleDocument.of(
        kind=found.kind,
        customer=str(found.customer_id),
        what=found.what,
        **{name: None if pk is None else str(pk) for name, pk in ids.items()},
    )


def _rehearsal(held: BalanceImport) -> JSON:
    found = held.summary
    names = ("rows", "bad_rows", "people", "known", "past", "codes", "alike_count")
    return RehearsalDocument.of(
        **{name: found[name] for name in names},
        problems=[{"code": code, "rows": rows, "detail": words_of(code)} for code, rows in found["problems"]],
        totals=_totals(found["totals"]),
        compared=[
            {
                "kind": one.kind,
                "currency": one.currency or None,
                "found": value_json(one.found, one.currency),
                "told": None if one.told is None else value_json(one.told, one.currency),
                "agrees": one.agrees,
            }
            for one in compare(found["totals"], told_of(held))
        ],
        brought_before=found.get("brought_before", 0),
        same_again=found.get("same_again", 0),
        alike=[{"email": email, "numbers": numbers, "row": row} for email, numbers, row in found.get("alike", ())],
    )


def _result(result: dict[str, Any]) -> JSON:
    return ImportResultDocument.of(totals=_totals(result["totals"]), past=result["past"], codes=result["codes"])


def _totals(lines: Iterable[dict[str, Any]]) -> list[JSON]:
    return [
        ImportTotalDocument.of(
            kind=line["kind"],
            currency=line["currency"] or None,
            month=line["month"],
            lots=line["lots"],
            amount=value_json(Decimal(line["amount"]), line["currency"]),
        )
        for line in lines
    ]
