"""The field for a list of tags, on every page that has one."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.core.tags import clean_tags
from loyalty.languages.own_names import own_words_lazy
from loyalty.store_settings.facts import LONGEST_NAME, MOST_NAMES


class TagsField(forms.CharField):
    """Tags, one a line; with JavaScript they become chips that Enter commits. A link beside them leads to ``guide``."""

    guide = "admin:stores_settingsversion_tagging"

    def __init__(self, label: str, help_text: str = "") -> None:
        attrs = {"rows": 3, "data-tags": "", "autocapitalize": "off", "spellcheck": "false"}
        widget = forms.Textarea(attrs=attrs | {"placeholder": gettext_lazy("One tag per line")})
        super().__init__(
            label=own_words_lazy(label),
            help_text=own_words_lazy(help_text) if help_text else "",
            widget=widget,
            required=False,
        )

    def prepare_value(self, value: Any) -> Any:
        """The saved tags, one a line; what was sent stays as it was typed."""
        return value if value is None or isinstance(value, str) else "\n".join(value)

    def clean(self, value: Any) -> tuple[str, ...]:
        """The tags: trimmed, each once, ignoring case."""
        tags = clean_tags(super().clean(value).splitlines())
        if len(tags) > MOST_NAMES:
            raise forms.ValidationError(_("At most %(most)s tags.") % {"most": MOST_NAMES}, code="too_many")
        for tag in tags:
            if len(tag) > LONGEST_NAME:
                raise forms.ValidationError(
                    _("“%(tag)s…” is longer than %(longest)s characters.") % {"tag": tag[:40], "longest": LONGEST_NAME},
                    code="too_long",
                )
        return tuple(tags)
