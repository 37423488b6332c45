"""Having a customer reminded again who had stopped that, or stopping it for him (H3)."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from loyalty.backoffice.base import BackOfficeAdmin, store_view
from loyalty.core.clock import read_clock
from loyalty.notices.unsubscribe import want_reminders
from loyalty.stores.active_store import acting
from loyalty.stores.models import Customer
from loyalty.stores.roles import Can


@store_view(needs=Can.CANCEL_ORDERS, methods=("POST",))
def reminders_page(admin: BackOfficeAdmin, request: HttpRequest, customer: Customer) -> HttpResponse:
    """``admin:stores_customer_reminders``: as the customer asks; twice is once."""
    wanted = "again" in request.POST
    want_reminders(customer, wanted=wanted, actor=acting(request), now=read_clock())
    said = _("Reminders are sent again.") if wanted else _("No more reminders are sent.")
    messages.success(request, said)
    return HttpResponseRedirect(reverse("admin:stores_customer_change", args=[customer.pk]) + "?tab=notices")
