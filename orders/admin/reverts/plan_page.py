"""How a form is answered that shows a plan before it is confirmed: as a page, or alone, for a dialog (M3, M6, R3)."""

from http import HTTPStatus
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext_noop

from loyalty.backoffice.confirm import Case
from orders.admin.reverts.plan_rows import PlanPage

FACTS_CHANGED: Final = gettext_noop(
    "Something changed meanwhile. Nothing was done yet: what is different is marked. Check it and confirm."
)
# A script that wants the form alone, to show it in a dialog or to refresh it, sends this header.
_FRAGMENT_HEADER: Final = "X-Fragment"
# Where a script goes on to once the form has been carried out.
_LOCATION_HEADER: Final = "X-Location"


def show_plan(case: Case[Any], template: str, page: PlanPage, more: dict[str, Any], status: int) -> HttpResponse:
    """The form in ``template``, which extends ``plan_form.html``, with the page around it unless it is wanted alone."""
    context = {"page": page, **more}
    if _FRAGMENT_HEADER in case.request.headers:
        return TemplateResponse(case.request, template, context, status=status)
    context |= {"title": page.title, "form_template": template}
    return case.show("orders/admin/reverts/plan_page.html", context, status)


def go_on_to(request: HttpRequest, address: str) -> HttpResponse:
    """The page after the form, in a dialog as well."""
    if _FRAGMENT_HEADER in request.headers:
        return HttpResponse(status=HTTPStatus.NO_CONTENT, headers={_LOCATION_HEADER: address})
    return HttpResponseRedirect(address)
