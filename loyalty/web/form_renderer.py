"""How fields are drawn: what people type stands in the direction of its own script."""

from typing import Any, Final

from django.forms.renderers import DjangoTemplates
from django.http import HttpRequest

# Addresses, numbers and passwords are from left to right in every language.
_WORDS: Final = frozenset({"text", "search"})


class AsWritten(DjangoTemplates):
    """Django's own, with ``dir="auto"`` on every field for words: an Arabic name is typed from right to left."""

    def render(self, template_name: str, context: dict[str, Any], request: HttpRequest | None = None) -> str:
        """The markup of one field, form or list of errors."""
        if "widget" in context:
            _direct(context["widget"])
        markup: str = super().render(template_name, context, request)
        return markup


def _direct(widget: dict[str, Any]) -> None:
    if widget.get("type") in _WORDS or widget["template_name"].endswith("/textarea.html"):
        widget["attrs"].setdefault("dir", "auto")
    for part in widget.get("subwidgets", ()):
        _direct(part)
