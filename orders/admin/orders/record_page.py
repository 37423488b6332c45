"""The page on which staff record what an order used (O5): what it is, what it would come to, then that, once."""

from datetime import datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from loyalty.backoffice.base import BackOfficeAdmin, store_view
from loyalty.backoffice.confirm import Case
from loyalty.backoffice.forms import was_sent
from loyalty.backoffice.links import order_address
from loyalty.core.errors import DomainError, Invalid, VersionConflict
from loyalty.core.phrases import sentences
from loyalty.languages.own_names import both_names, own_words
from loyalty.ledger.ledger import Kind
from loyalty.platforms.registry import LABELS
from loyalty.stores.active_store import active_store
from loyalty.stores.actors import Act, Trigger
from loyalty.stores.models import Customer, Store
from loyalty.stores.roles import Can
from orders.admin.amounts import AmountField, amount_of
from orders.admin.customers.choose_field import CustomerForm
from orders.admin.display import CHANGED, USED
from orders.admin.orders.preview_use import FIELDS, Outcome, balance_words, limit_words, within_limits
from orders.admin.orders.used_there import said_there, used_there_words, worth
from orders.kinds import currency_of, show
from orders.models import Order, OrderStatus, PaymentStatus
from orders.services.intake.spend import Spend, Taken, can_be_recorded, record_spend

_DONE_BEFORE: Final = gettext_noop("Order %(number)s: This had been recorded already; nothing was taken twice.")


class RecordForm(CustomerForm):
    """What an order used: the kinds that are not known yet, whose they were, and why staff say so."""

    total = forms.DecimalField(label=gettext_lazy("What the order came to in all"))
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=200,
        help_text=gettext_lazy("Shown in the order's timeline and the customer's history."),
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, order: Order, request: HttpRequest, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, store=active_store(request), **kwargs)
        self.order = order
        self.kinds = can_be_recorded(order)
        asked = ("who", "customer") if order.customer_id is None else ()
        fields: dict[str, forms.Field] = {name: self.fields[name] for name in asked if name in self.fields}
        for kind in self.kinds:
            fields[kind] = AmountField(currency_of(order, kind), label=USED[kind], required=False)
            fields[kind].help_text = _beside(order, order.customer or self.fits, kind, request, now)
        if "credits" in self.kinds and order.platform in LABELS:
            fields["total"] = AmountField(order.currency, label=self.fields["total"].label, required=False)
            fields["total"].help_text = _total_words(order, self.store)
        self.fields = fields | {name: self.fields[name] for name in ("reason", "version", "once")}

    def clean(self) -> dict[str, Any]:
        """At least one amount, and a customer who has it."""
        cleaned = super().clean()
        if not self.errors and not any(amount_of(cleaned, kind) for kind in self.kinds):
            self.add_error(self.kinds[0], _("Say how much the order used of one kind at least."))
        if "who" in self.fields and not cleaned.get("who") and "who" not in self.errors:
            self.add_error("who", _("Say whose %(credits)s and %(points)s the order used.") % both_names())
        return cleaned

    def spend(self) -> Spend:
        """What a valid form says."""
        data = self.cleaned_data
        customer = self.chosen.pk if self.chosen else self.order.customer_id
        return Spend(
            customer=customer,
            credits=Decimal(amount_of(data, "credits")),
            points=int(amount_of(data, "points")),
            total=data.get("total"),
            reason=data["reason"],
        )


class _Case(Case[Order]):
    """One order's page in one request."""

    def form(self) -> RecordForm:
        """The fields, filled with what was sent; else with what the platform says was used there."""
        data = self.request.POST if self.request.method == "POST" else None
        initial: dict[str, Any] = {"version": self.row.version}
        if data is None:
            initial |= said_there(self.row) | {"total": worth(self.row)}
        return RecordForm(data, initial=initial, order=self.row, request=self.request, now=self.now)


@store_view(needs=Can.ADJUST_LEDGER)
def record_page(admin: BackOfficeAdmin, request: HttpRequest, order: Order) -> HttpResponse:
    """``admin:orders_order_record``: how much of each kind, then what that comes to; confirmed, do it once."""
    case = _Case(admin, request, order)
    confirms = request.method == "POST" and "_confirm" in request.POST
    if confirms and was_sent(request.POST.get("once", ""), store=case.store):
        messages.info(request, _(_DONE_BEFORE) % {"number": order.number})
        return HttpResponseRedirect(order_address(order.pk))
    if not can_be_recorded(order):
        return _closed(case)
    form = case.form()
    return _answer(case, form, confirms=confirms) if form.is_valid() else _show(case, form)


def _answer(case: _Case, form: RecordForm, *, confirms: bool) -> HttpResponse:
    """What a valid form comes to: shown first, done when that was confirmed."""
    try:
        if confirms:
            return _done(case, _carry_out(case, form))
        return _show(case, form, would=_take(case, form, version=case.row.version, rehearse=True))
    except VersionConflict:
        fresh = case.again()
        return _show(fresh, fresh.form(), said=_(CHANGED)) if can_be_recorded(fresh.row) else _closed(fresh)
    except Invalid as error:
        form.show_errors(error, FIELDS)
    except DomainError as error:
        form.add_error(None, error.detail)
    return _show(case, form)


def _carry_out(case: _Case, form: RecordForm) -> Outcome | None:
    """Record once; None when this form had been sent before."""
    data = form.cleaned_data
    return case.once(data["once"], lambda: _take(case, form, version=data["version"], rehearse=False))


def _take(case: _Case, form: RecordForm, *, version: int, rehearse: bool) -> Outcome:
    def take() -> tuple[Order, Taken]:
        return record_spend(
            store=case.store,
            order_id=case.row.pk,
            spend=form.spend(),
            act=Act(case.actor, Trigger.ADMIN, case.now),
            version=version,
        )

    return within_limits(case.request, take, now=case.now, rehearse=rehearse)


def _done(case: _Case, outcome: Outcome | None) -> HttpResponse:
    number = case.row.number
    if outcome is None:
        messages.info(case.request, _(_DONE_BEFORE) % {"number": number})
    else:
        words = _("Recorded: order %(number)s used %(amounts)s, taken from %(customer)s.")
        facts = {"number": number, "amounts": outcome.words, "customer": outcome.order.customer}
        messages.success(case.request, words % facts)
    return HttpResponseRedirect(order_address(case.row.pk))


def _closed(case: _Case) -> HttpResponse:
    """Nothing can be recorded: the page says why, and a form that was sent changes nothing."""
    words = _why_closed(case.row)
    if case.request.method == "POST":
        messages.warning(case.request, sentences([words, _("Nothing was taken.")]))
        return HttpResponseRedirect(order_address(case.row.pk))
    return _page(case, {"closed": words})


def _show(case: _Case, form: RecordForm, *, would: Outcome | None = None, said: str = "") -> HttpResponse:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.CONFLICT if said else HTTPStatus.OK
    confirmed = [(field.html_name, field.value() or "") for field in form if field.name != "version"] if would else []
    context = {
        "form": form,
        "said": said,
        "would": would,
        "confirmed": [*confirmed, ("version", case.row.version)],
        "confirm": _("Record %(amounts)s") % {"amounts": would.words} if would else "",
        "decline": _("Record nothing"),
        "warnings": _warnings(case.row),
        "there": used_there_words(case.row, case.store),
    }
    return _page(case, context, status=status)


def _page(case: _Case, more: dict[str, Any], *, status: int = HTTPStatus.OK) -> HttpResponse:
    order, store = case.row, case.store
    context: dict[str, Any] = {
        "title": _("Record what order %(number)s used") % {"number": order.number},
        "opts": case.admin.opts,
        "original": order,
        "order": order,
        "total": show(order.total, order.currency, store),
        "action": reverse("admin:orders_order_record", args=[order.pk]),
        "back": order_address(order.pk),
        **more,
    }
    return case.show("orders/admin/orders/record.html", context, status)


def _beside(order: Order, customer: Customer | None, kind: Kind, request: HttpRequest, now: datetime) -> str:
    """The balance beside the amount, as soon as it is known whose, and what the person may still take today."""
    store = active_store(request)
    units = _("In %(currency)s.") % {"currency": order.currency} if kind == "credits" else own_words("Whole points.")
    has = balance_words(customer, kind, currency_of(order, kind), store, now) if customer else ""
    return sentences((units, has, limit_words(request, kind, now)))


def _total_words(order: Order, store: Store) -> str:
    words = _(
        "Before %(credits)s and %(points)s. %(platform)s says %(total)s, which may be only what was left to pay. No "
        "more %(credits)s than this can be used, and partial refunds return their share of it."
    )
    facts = {"platform": LABELS[order.platform], "total": show(order.total, order.currency, store)}
    return words % (facts | both_names())


def _why_closed(order: Order) -> str:
    if order.status == OrderStatus.CANCELLED:
        return _("Order %(number)s is cancelled, so nothing more can be taken from the customer for it.") % {
            "number": order.number
        }
    return _("What order %(number)s used of both kinds is recorded already.") % {"number": order.number}


def _warnings(order: Order) -> list[str]:
    """What somebody should know before value is taken for this order."""
    warnings = []
    if order.is_test:
        warnings.append(_("This is a test order. What you record is really taken, and no automation gives it back."))
    if order.payment_status == PaymentStatus.REFUNDED:
        warnings.append(
            _(
                "The payment of this order was refunded. What you record waits to be returned, or comes back at once "
                "where your spent-revert rules say so."
            )
        )
    if order.platform_deleted_at is not None:
        warnings.append(
            _("This order was deleted on %(platform)s.") % {"platform": LABELS.get(order.platform, _("the platform"))}
        )
    return warnings
