"""Which methods an address has, said before anything else is asked."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from rest_framework.views import APIView

from loyalty.api.answers.problems import Problem


class KnownMethods(APIView):
    """Answers ``OPTIONS`` with ``Allow``, and every method that the view does not have with 405, to anybody.

    What methods an address has stands in the public schema and tells nothing of any store, so no key is needed, and a
    wrong method is never mistaken for a wrong key, scope, body or parameter.
    """

    http_method_names = ["get", "head", "post", "patch", "delete", "options"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The view's own answer to a method that it has."""
        allow = {"Allow": ", ".join(self.allowed_methods)}
        if request.method == "OPTIONS":
            return HttpResponse(headers=allow)
        if request.method not in self.allowed_methods:
            words = _("Method not allowed here: use %(allow)s.") % {"allow": allow["Allow"]}
            return Problem("method-not-allowed", words, headers=allow).to_response()
        return super().dispatch(request, *args, **kwargs)
