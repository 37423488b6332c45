"""The page behind the link in reminders: looking at it changes nothing, its button and mail programs do (RFC 8058)."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from loyalty.core.clock import read_clock
from loyalty.database.named_stores import in_store
from loyalty.languages.spoken import SOURCE
from loyalty.notices.unsubscribe import BY_LINK, find_reader, reader_of, want_reminders
from loyalty.notices.write import in_language_of


@csrf_exempt
@never_cache
def reminders_page(request: HttpRequest, token: str) -> HttpResponse:
    """Show whether reminders are sent; a POST stops them, or with ``again`` has them sent again.

    The link's signature says who asks: mail programs send no cookie and no token of ours.
    """
    if request.method not in {"GET", "HEAD", "POST"}:
        return HttpResponseNotAllowed(["GET", "POST"])
    reader = reader_of(token)
    if reader is None:
        raise Http404
    with in_store(reader.store_id):
        customer = find_reader(reader)
        if customer is None:
            raise Http404
        if request.method == "POST":
            want_reminders(customer, wanted="again" in request.POST, actor=BY_LINK, now=read_clock())
            customer.refresh_from_db(fields=["no_reminders_since"])
        with in_language_of(customer, customer.store):
            context = {"store": customer.store, "stopped": customer.no_reminders_since is not None}
            answer = render(request, "loyalty/notices/reminders.html", context)
            answer.headers["Content-Language"] = get_language() or SOURCE
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
