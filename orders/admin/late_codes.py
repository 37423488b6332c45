"""Orders that came with a code after its reversal: shown on the order until staff have settled it (R3)."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from loyalty.backoffice.base import BackOfficeAdmin, store_view
from loyalty.stores.active import acting, active_store
from loyalty.stores.models import Store
from loyalty.stores.roles import Can
from orders.admin.redemption_showing import redemption_link
from orders.models import Order
from orders.services.code_uses import flagged_uses, settle_code_uses


@store_view(needs=Can.REDEEM, methods=("POST",))
def settle_page(admin: BackOfficeAdmin, request: HttpRequest, order: Order) -> HttpResponse:
    """``admin:orders_order_settle_codes``: staff have dealt with the reversed codes; twice is as once."""
    settle_code_uses(store=active_store(request), order_id=order.pk, actor=acting(request), now=timezone.now())
    messages.success(request, "The reversed code is settled.")
    return HttpResponseRedirect(reverse("admin:orders_order_change", args=[order.pk]))


def late_codes(order: Order, store: Store) -> list[SafeString]:
    """The codes that the order used after their reversal and nobody has settled, as links."""
    uses = flagged_uses(store).filter(order=order).select_related("redemption").order_by("pk")
    return [redemption_link(use.redemption) for use in uses]
