"""What the page of one import shows: how far it is, what the rehearsal found, what came of it."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.backoffice.confirm import Case
from loyalty.backoffice.lists.paging import page_of
from loyalty.core.locales import count_text
from loyalty.languages.own_names import name_of
from loyalty.stores.actors import actor_names
from loyalty.stores.dates import show_moment, show_month
from loyalty.stores.models import Store
from orders.admin.balance_imports.show_rows import kept_rows, shown_row, state_badge
from orders.admin.balance_imports.start_form import StartForm, total_name
from orders.admin.display import moment_by
from orders.kinds import show, title_of
from orders.models import UNWRITTEN, WORKED_ON, BalanceImport, ImportState
from orders.services.balance_imports.layouts.products import PRODUCTS
from orders.services.balance_imports.problems import NO_FAULT, words_of
from orders.services.balance_imports.start import Compared, compare, told_of
from orders.services.balance_imports.take_back import taken_so_far, to_take
from orders.services.balance_imports.upload import MOST_OF_PART, next_part

_TABS: Final = ("", "bad")


def import_context(case: Case[BalanceImport], held: BalanceImport, form: StartForm | None = None) -> dict[str, Any]:
    """What the page shows; ``form`` is the one that was sent and not accepted."""
    store, request = case.store, case.request
    summary = held.summary
    running = held.state in WORKED_ON
    context: dict[str, Any] = {
        "title": held.file_name,
        "held": held,
        "badge": state_badge(held),
        "running": running,
        "refreshes": running and "still" not in request.GET,
        "may_discard": held.state in UNWRITTEN,
        "facts": facts_of(held, store),
        "next_part": next_part(held) if held.state == ImportState.UPLOADING else 0,
        "part_size": MOST_OF_PART,
    }
    if held.state == ImportState.TAKING_BACK:
        context |= {"taken": taken_so_far(held), "to_take": to_take(held)}
    if summary and held.state not in (ImportState.UPLOADING, ImportState.READING):
        context |= _found(case, held)
    if held.state == ImportState.REHEARSED and held.items:
        compared = compare(summary["totals"], told_of(held))
        form = form or StartForm(compared)
        context |= {"form": form, "totals": [_total(one, form, store) for one in compared]}
    return context


def _found(case: Case[BalanceImport], held: BalanceImport) -> dict[str, Any]:
    """What the rehearsal found, and the rows."""
    summary, store = held.summary, case.store
    only = "bad" if case.request.GET.get("only") == "bad" else ""
    page = page_of(case.request, kept_rows(held, only))
    written = held.result.get("totals") or []
    return {
        "sentences": _sentences(summary, store),
        "months": [shown_month(line, store) for line in written or summary["totals"]],
        "from_ledger": bool(written),
        "agrees": _sums(written) == _sums(summary["totals"]) if written else None,
        "problems": [
            {"words": words_of(code), "count": count, "is_fault": code not in NO_FAULT}
            for code, count in summary["problems"]
        ],
        "alike": [{"email": email, "count": count, "row": row} for email, count, row in summary["alike"]],
        "alike_more": max(0, summary["alike_count"] - len(summary["alike"])),
        "only": only,
        "tabs": [
            {"query": f"?only={tab}" if tab else "?", "name": _tab_name(tab), "current": tab == only} for tab in _TABS
        ],
        "page": page,
        "rows": [shown_row(row, held) for row in page],
        "bad_rows": summary["bad_rows"],
        "brought_before": summary.get("brought_before", 0),
        "same_again": summary.get("same_again", 0),
    }


def _tab_name(tab: str) -> str:
    return _("Rows to mend") if tab else _("All rows")


def _sums(totals: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], Decimal]:
    sums: dict[tuple[str, str], Decimal] = {}
    for line in totals:
        key = (line["kind"], line["currency"])
        sums[key] = sums.get(key, Decimal(0)) + Decimal(line["amount"])
    return sums


def _sentences(summary: Mapping[str, Any], store: Store) -> list[str]:
    """What the file comes to."""
    people, known = summary["people"], summary["known"]
    found = [
        ngettext("The file has one row.", "The file has %(count)s rows.", summary["rows"])
        % {"count": count_text(summary["rows"])},
        ngettext("It is about one customer.", "It is about %(count)s customers.", people)
        % {"count": count_text(people)},
    ]
    if known:
        found.append(
            ngettext("One of them is here already.", "%(count)s of them are here already.", known)
            % {"count": count_text(known)}
        )
    if summary["past"]:
        found.append(
            ngettext(
                "It has one movement of the old history, which changes no balance.",
                "It has %(count)s movements of the old history, which change no balance.",
                summary["past"],
            )
            % {"count": count_text(summary["past"])}
        )
    if summary["codes"]:
        found.append(
            ngettext(
                "It has one open code, for %(points)s.",
                "It has %(count)s open codes, for %(points)s.",
                summary["codes"],
            )
            % {"count": count_text(summary["codes"]), "points": show(summary["code_points"], "", store)}
        )
    if summary["bad_rows"]:
        found.append(
            ngettext(
                "One row cannot be imported as it is.",
                "%(count)s rows cannot be imported as they are.",
                summary["bad_rows"],
            )
            % {"count": count_text(summary["bad_rows"])}
        )
    return found


def shown_month(line: Mapping[str, Any], store: Store) -> dict[str, Any]:
    """One line of totals."""
    month = line["month"]
    return {
        "kind": title_of(line["kind"]),
        "month": show_month(date.fromisoformat(f"{month}-01"), store) if month else _("Never expires"),
        "lots": count_text(line["lots"]),
        "amount": show(Decimal(line["amount"]), line["currency"], store),
    }


def _total(one: Compared, form: StartForm, store: Store) -> dict[str, Any]:
    name = total_name(one.kind, one.currency)
    return {
        "kind": title_of(one.kind),
        "currency": one.currency,
        "found": show(one.found, one.currency, store),
        "field": form[name],
        "agrees": one.agrees,
        "told": one.told is not None,
    }


def facts_of(held: BalanceImport, store: Store) -> list[tuple[str, str]]:
    """By whom and when, and why the totals differed."""
    names = actor_names(actor for actor in (held.actor, held.started_by, held.taken_back_by) if actor)
    product = next((item.name for item in PRODUCTS if item.key == held.layout.get("product")), "")

    def done(moment: datetime | None, who: str) -> str:
        return moment_by(moment, names.get(who, who), store)

    facts = [
        (_("From"), product),
        (_("Uploaded"), done(held.created_at, held.actor)),
        (_("Started"), done(held.started_at, held.started_by)),
        (_("Done"), show_moment(held.finished_at, store) if held.finished_at else ""),
        (_("Taken back"), done(held.taken_back_at, held.taken_back_by)),
    ]
    for told in told_of(held):
        words = show(told.amount, told.currency, store)
        facts.append((_("Old system's %(kind)s") % {"kind": name_of(told.kind)}, words))
    if held.remark:
        facts.append((_("Why the totals differ"), held.remark.reason))
    return [(name, words) for name, words in facts if words]
