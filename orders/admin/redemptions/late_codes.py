"""Orders that came with a code and used none of its points: shown on the order until staff settle it (R3, R7)."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from loyalty.backoffice.base import BackOfficeAdmin, store_view
from loyalty.backoffice.links import order_address
from loyalty.core.clock import read_clock
from loyalty.languages.own_names import own_words
from loyalty.stores.active_store import acting, active_store
from loyalty.stores.models import Store
from loyalty.stores.roles import Can
from orders.admin.display import order_link
from orders.admin.redemptions.rows import redemption_link
from orders.models import CodeOutcome, CodeUse, Order
from orders.services.codes.uses import flagged_uses, settle_code_uses


@store_view(needs=Can.REDEEM, methods=("POST",))
def settle_page(admin: BackOfficeAdmin, request: HttpRequest, order: Order) -> HttpResponse:
    """``admin:orders_order_settle_codes``: staff have dealt with such codes; twice is as once."""
    settle_code_uses(store=active_store(request), order_id=order.pk, actor=acting(request), now=read_clock())
    messages.success(request, _("The code is settled."))
    return HttpResponseRedirect(order_address(order.pk))


def late_codes(order: Order, store: Store) -> list[SafeString]:
    """What is odd about each code that the order came with and that nobody has settled, with a link to it."""
    uses = flagged_uses(store).filter(order=order).select_related("redemption__used_order").order_by("pk")
    return [_words(use) for use in uses]


def _words(use: CodeUse) -> SafeString:
    link = redemption_link(use.redemption)
    if use.outcome == CodeOutcome.AFTER_RETURN:
        words = own_words(
            "It came with {code} after its points had been returned: the customer has them and the discount as well."
        )
        return format_html(words, code=link)
    words = own_words(
        "It came with {code}, which {order} had used before: the customer has the discount twice for the points of "
        "once."
    )
    return format_html(words, code=link, order=order_link(use.redemption.used_order))
