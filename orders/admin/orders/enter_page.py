"""The page on which staff enter an order (O2): what it is and used, what that would come to, then that, once.

As the page that records what an order used, the preview is the act, taken back (ADR 0034).
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from loyalty.backoffice.base import BackOfficeAdmin, store_view
from loyalty.backoffice.confirm import Case
from loyalty.backoffice.forms import MomentField, was_sent
from loyalty.backoffice.links import order_address
from loyalty.core.errors import DomainError, Invalid
from loyalty.core.instants import PLACED_AHEAD
from loyalty.core.money import is_currency, quantise
from loyalty.core.phrases import labelled, sentences
from loyalty.core.storable_text import storable
from loyalty.customers.identify import CustomerFacts
from loyalty.languages.own_names import both_names, own_words, own_words_lazy
from loyalty.ledger.ledger import Kind, currency_for
from loyalty.stores.active_store import active_store, may
from loyalty.stores.dates import show_moment
from loyalty.stores.models import Customer
from loyalty.stores.roles import Can
from orders.admin.amounts import AmountField, amount_of, checked_amount
from orders.admin.customers.choose_field import CustomerForm
from orders.admin.display import came_from, order_link
from orders.admin.orders.preview_use import FIELDS, Outcome, balance_words, limit_words, within_limits
from orders.admin.settings.tags_field import TagsField
from orders.kinds import KINDS, show
from orders.models import Order, OrderStatus, PaymentStatus
from orders.services.intake.place import STAFF, NewOrder, enter_order

_STATUSES: Final = [(item.value, item.label) for item in OrderStatus if item is not OrderStatus.CANCELLED]
_PAYMENTS: Final = [(item.value, item.label) for item in (PaymentStatus.PENDING, PaymentStatus.PAID)]
_MOST_CODES: Final = 20
_LONGEST_CODE: Final = 40
_LARGEST_TOTAL: Final = Decimal(10) ** 12
_NAMESAKES: Final = 3
_DONE_BEFORE: Final = gettext_noop("Order %(number)s: Already entered. Nothing was changed this time.")
_POINTERS: Final[Mapping[str, str]] = {
    **FIELDS,
    "/number": "number",
    **{f"/codes/{index}": "codes" for index in range(_MOST_CODES)},
}


class EnterForm(CustomerForm):
    """An order as staff write it down. An empty *Placed* means now; without a customer it is a guest's."""

    number = forms.CharField(label=gettext_lazy("Order number"), max_length=100)
    new_email = forms.EmailField(
        label=gettext_lazy("Or a new customer: e-mail"),
        max_length=254,
        required=False,
        help_text=gettext_lazy("If a customer has this address already, that one is taken; no second one is made."),
    )
    new_name = forms.CharField(label=gettext_lazy("New customer's name"), max_length=200, required=False)
    total = forms.DecimalField(
        label=gettext_lazy("Total"), help_text=own_words_lazy("What it came to in all, before credits and points.")
    )
    currency = forms.CharField(label=gettext_lazy("Currency"), max_length=3)
    credits = forms.DecimalField(label=own_words_lazy("Store credits used"), required=False)
    points = AmountField("", label=own_words_lazy("Member points used"), required=False)
    codes = forms.CharField(
        label=gettext_lazy("Codes it came with"),
        max_length=1000,
        required=False,
        help_text=own_words_lazy(
            "Discount codes that were issued here for points: the order used those points. Several: with commas."
        ),
    )
    status = forms.ChoiceField(label=gettext_lazy("Status"), choices=_STATUSES)
    payment = forms.ChoiceField(label=gettext_lazy("Payment"), choices=_PAYMENTS)
    due = MomentField(
        label=gettext_lazy("Payment due"), required=False, help_text=gettext_lazy("Empty: as your order settings say.")
    )
    placed = MomentField(label=gettext_lazy("Placed"), required=False, help_text=gettext_lazy("Empty: now."))
    tags = TagsField(gettext_noop("Tags"))
    note = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("Shown in the order's timeline, and beside what was used in the customer's history."),
    )
    # Whom the preview showed; nobody else is taken from when it is confirmed.
    shown = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, request: HttpRequest, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, store=active_store(request), **kwargs)
        self.now = now
        for name in ("total", "credits"):
            self.fields[name].widget.attrs |= {"inputmode": "decimal", "min": "0", "step": "any", "autocomplete": "off"}
        self.fields["currency"].widget.attrs |= {"autocapitalize": "characters", "size": "4"}
        self.fields["who"].help_text = _("E-mail, id or a part of the name. Empty for a guest.")
        for kind in KINDS:
            self.fields[kind].help_text = self._beside(kind, request)
        if not may(request, Can.ADJUST_LEDGER):
            del self.fields["credits"], self.fields["points"]
        first = ("number", "who", "customer")
        self.order_fields([*first, *(name for name in self.fields if name not in first)])

    def clean_currency(self) -> str:
        """A currency code, in capitals."""
        code = str(self.cleaned_data["currency"]).upper()
        if not is_currency(code):
            raise forms.ValidationError(_("This is not a currency code such as USD."))
        return code

    def clean_placed(self) -> datetime:
        """When it was placed: a day ahead at most, now when nothing is said."""
        placed: datetime = self.cleaned_data["placed"] or self.now
        if placed > self.now + PLACED_AHEAD:
            raise forms.ValidationError(_("An order is placed now or earlier."))
        return placed

    def clean_codes(self) -> list[str]:
        """The codes, each once."""
        codes = list(dict.fromkeys(str(self.cleaned_data["codes"]).replace(",", " ").split()))
        if len(codes) > _MOST_CODES or any(len(code) > _LONGEST_CODE for code in codes):
            raise forms.ValidationError(
                _("At most %(most_codes)s codes, of %(longest_code)s letters each.")
                % {"most_codes": _MOST_CODES, "longest_code": _LONGEST_CODE}
            )
        return codes

    def clean(self) -> dict[str, Any]:
        """Amounts in the unit of the currency, one customer at most, and a note on what is taken."""
        cleaned = super().clean()
        if currency := cleaned.get("currency"):
            self._check_amounts(cleaned, currency)
        self._check_customer(cleaned)
        self._check_uses(cleaned)
        return cleaned

    def new_order(self) -> NewOrder:
        """What a valid form says."""
        data = self.cleaned_data
        facts = CustomerFacts(external_id=None, email=data["new_email"], name=data["new_name"])
        return NewOrder(
            number=data["number"],
            total=data["total"],
            currency=data["currency"],
            placed_at=data["placed"],
            customer=self.chosen.pk if self.chosen else facts if data["new_email"] else None,
            platform=STAFF,
            status=data["status"],
            payment_status=data["payment"],
            payment_due_at=data["due"],
            tags=data["tags"],
            apply_credits=Decimal(amount_of(data, "credits")),
            apply_points=int(amount_of(data, "points")),
            codes=data["codes"],
            reason=data["note"],
        )

    def keep_errors_of(self, *names: str) -> None:
        """Forget what is wrong with all other fields: somebody only wants to see who it is."""
        for name in [name for name in self.errors if name not in names]:
            del self.errors[name]

    def _check_customer(self, cleaned: dict[str, Any]) -> None:
        if cleaned.get("who") and (cleaned.get("new_email") or cleaned.get("new_name")):
            self.add_error("new_email", _("Choose a customer above or fill in a new one here, not both."))
        elif cleaned.get("new_name") and not cleaned.get("new_email"):
            self._add_first_error("new_email", _("A new customer needs an e-mail address."))
        # Only the confirming button is held to what was shown; whoever types somebody else means him.
        shown = cleaned.get("shown") if "_confirm" in self.data else None
        if shown and self.chosen is not None and self.chosen.pk != shown:
            self.add_error("who", _("Somebody else matches that now. Look again."))

    def _check_uses(self, cleaned: dict[str, Any]) -> None:
        if not any(amount_of(cleaned, kind) for kind in KINDS):
            return
        if not (cleaned.get("who") or cleaned.get("new_email") or "new_email" in self.errors):
            self._add_first_error("who", _("Say whose %(credits)s and %(points)s the order used.") % both_names())
        if not cleaned.get("note"):
            words = _("Say why %(credits)s or %(points)s are taken, such as “Paid at the till”.")
            self._add_first_error("note", words % both_names())

    def _add_first_error(self, name: str, words: str) -> None:
        if name not in self.errors:
            self.add_error(name, words)

    def _check_amounts(self, cleaned: dict[str, Any], currency: str) -> None:
        try:
            if (total := cleaned.get("total")) is not None:
                cleaned["total"] = _checked_total(total, currency)
        except forms.ValidationError as error:
            self.add_error("total", error)
        try:
            if (credits := cleaned.get("credits")) is not None:
                cleaned["credits"] = checked_amount(credits, currency)
        except forms.ValidationError as error:
            self.add_error("credits", error)

    def _beside(self, kind: Kind, request: HttpRequest) -> str:
        """The balance beside the amount, as soon as it is known whose, and what the person may still take today."""
        typed = str(self.data.get("currency") or "").upper()
        currency = currency_for(kind, typed if is_currency(typed) else self.store.currency)
        has = balance_words(self.fits, kind, currency, self.store, self.now) if self.fits else ""
        return sentences((has, limit_words(request, kind, self.now)))


def _checked_total(total: Decimal, currency: str) -> Decimal:
    """A total in the currency's unit, from nothing on. Raises ValidationError."""
    if not 0 <= total < _LARGEST_TOTAL:
        raise forms.ValidationError(_("Enter what the order came to: 0 or more."))
    try:
        return quantise(total, currency)
    except ValueError as error:
        raise forms.ValidationError(str(error)) from error


class _Case(Case[None]):
    """The page in one request."""

    def form(self) -> EnterForm:
        data = self.request.POST if self.request.method == "POST" else None
        initial = {"currency": self.store.currency, "payment": PaymentStatus.PAID, "status": OrderStatus.CONFIRMED}
        return EnterForm(data, initial=initial, request=self.request, now=self.now)


@store_view(needs=Can.ENTER_ORDERS)
def enter_page(admin: BackOfficeAdmin, request: HttpRequest, _row: None) -> HttpResponse:
    """``admin:orders_order_add``: what the order is, then what entering it comes to; confirmed, do it once."""
    case = _Case(admin, request, None)
    confirms = request.method == "POST" and "_confirm" in request.POST
    if confirms and was_sent(request.POST.get("once", ""), store=case.store):
        return _done(case, None, storable(request.POST.get("number", "")))
    form = case.form()
    valid = form.is_valid()
    if "_find" in request.POST:
        form.keep_errors_of("who", "customer")
        return _show(case, form)
    return _answer(case, form, confirms=confirms) if valid else _show(case, form)


def _answer(case: _Case, form: EnterForm, *, confirms: bool) -> HttpResponse:
    """What a valid form comes to: shown first, done when that was confirmed."""
    try:
        if confirms:
            return _done(case, _carry_out(case, form), form.cleaned_data["number"])
        return _show(case, form, would=_enter(case, form, rehearse=True))
    except Invalid as error:
        form.show_errors(error, _POINTERS)
    except DomainError as error:
        form.add_error(None, error.detail)
    return _show(case, form)


def _carry_out(case: _Case, form: EnterForm) -> Outcome | None:
    """Enter it once; None when this form had been sent before."""
    return case.once(form.cleaned_data["once"], lambda: _enter(case, form, rehearse=False))


def _enter(case: _Case, form: EnterForm, *, rehearse: bool) -> Outcome:
    new, actor = form.new_order(), case.actor
    return within_limits(
        case.request,
        lambda: enter_order(store=case.store, new=new, actor=actor, now=case.now),
        now=case.now,
        rehearse=rehearse,
    )


def _done(case: _Case, outcome: Outcome | None, number: str) -> HttpResponse:
    if outcome is None:
        messages.info(case.request, _(_DONE_BEFORE) % {"number": number})
        entered = Order.objects.for_store(case.store).filter(platform=STAFF, number=number).first()
        if entered is None:
            return HttpResponseRedirect(reverse("admin:orders_order_changelist"))
        return HttpResponseRedirect(order_address(entered.pk))
    words = _("Order %(number)s is entered.")
    if outcome.words:
        words = _("Order %(number)s is entered. %(amounts)s taken from %(customer)s.")
    facts = {"number": number, "amounts": outcome.words, "customer": outcome.order.customer}
    messages.success(case.request, words % facts)
    return HttpResponseRedirect(order_address(outcome.order.pk))


def _show(case: _Case, form: EnterForm, *, would: Outcome | None = None) -> HttpResponse:
    number = form.cleaned_data.get("number", "") if form.is_bound else ""
    context: dict[str, Any] = {
        "title": _("Enter an order"),
        "opts": case.admin.opts,
        "form": form,
        "would": would,
        "warnings": [*_namesakes(case, number), *_warnings(case, would)],
        "action": reverse("admin:orders_order_add"),
        "back": reverse("admin:orders_order_changelist"),
    }
    if would is not None:
        context |= _preview(case, form, would)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return case.show("orders/admin/orders/enter.html", context, status)


def _preview(case: _Case, form: EnterForm, would: Outcome) -> dict[str, Any]:
    order = would.order
    customer = order.customer
    confirmed = [(field.html_name, field.value() or "") for field in form if field.name not in ("shown", "placed")]
    chosen = form.chosen.pk if form.chosen else ""
    placed = timezone.localtime(order.placed_at).isoformat()
    words = _("Enter order %(number)s and take %(amounts)s") if would.words else _("Enter order %(number)s")
    made = customer is not None and not Customer.objects.for_store(case.store).filter(pk=customer.pk).exists()
    return {
        "facts": _facts(case, order),
        "customer": customer,
        "customer_is_new": made,
        "confirmed": [*confirmed, ("shown", chosen), ("placed", placed)],
        "confirm": words % {"number": order.number, "amounts": would.words},
        "decline": _("Enter nothing"),
    }


def _facts(case: _Case, order: Order) -> list[tuple[str, str]]:
    """What the order would be, besides its customer and what it uses."""
    store = case.store
    by_codes = [labelled(code["code"], show(code["points"], "", store)) for code in order.codes]
    facts = [
        (_("Number"), order.number),
        (_("Total"), show(order.total, order.currency, store)),
        (_("Status"), order.get_status_display()),
        (_("Payment"), order.get_payment_status_display()),
        (_("Payment due"), show_moment(order.payment_due_at, store)),
        (_("Placed"), show_moment(order.placed_at, store)),
        (_("Tags"), ", ".join(order.tags)),
        (own_words("Member points used with codes"), "; ".join(by_codes)),
    ]
    return [(name, value) for name, value in facts if value]


def _namesakes(case: _Case, number: str) -> list[SafeString]:
    """Orders that have the number already: it may be the same one, and its value would be taken twice."""
    if not number:
        return []
    words = _("There is an {order} already, from {source}. If it is the same one, record on its page what it used.")
    same = Order.objects.for_store(case.store).filter(number=number).order_by("-pk")[:_NAMESAKES]
    return [format_html(words, order=order_link(order), source=came_from(order)) for order in same]


def _warnings(case: _Case, would: Outcome | None) -> list[str]:
    if would is None:
        return []
    order = would.order
    overdue = order.payment_due_at is not None and order.payment_due_at <= case.now
    if overdue and order.payment_status == PaymentStatus.PENDING:
        return [_("The payment is due already: within minutes it counts as expired, and your order settings apply.")]
    return []
