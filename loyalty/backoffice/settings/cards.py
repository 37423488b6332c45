"""The cards of a settings page: what can be chosen on each, in plain words, and how it is saved (H4)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

from django import forms
from django.forms import BoundField
from django.utils.functional import lazy
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.core.errors import Invalid
from loyalty.core.phrases import enumerated
from loyalty.languages.own_names import own_words, own_words_lazy
from loyalty.store_settings.facts import is_nullable
from loyalty.store_settings.save import merged
from loyalty.store_settings.sections import StoreSettings, setting_at, settings_from_json, settings_to_json
from loyalty.stores.models import Store

Path = tuple[str, ...]
# Name, from, to.
Change = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Option:
    """One choice, and what it means: messages of the catalogues, put into words for who reads."""

    value: str
    label: str
    words: str = ""

    def shown(self) -> tuple[str, Any]:
        """The choice as a form's field wants it; its words are made when it is shown."""
        return self.value, _markup_later(self)

    def said(self) -> tuple[str, str]:
        """The choice and what it means, for who reads now."""
        return own_words(self.label), own_words(self.words) if self.words else ""


def _markup(option: Option) -> SafeString:
    markup = '<span class="choice-name">{}</span> <span class="choice-words">{}</span>'
    return format_html(markup, *option.said())


_markup_later: Final = lazy(_markup, SafeString)


class OptionField(forms.ChoiceField):
    """A choice between options with words beside each."""

    def __init__(self, label: str, options: Sequence[Option]) -> None:
        super().__init__(
            label=own_words_lazy(label), choices=[option.shown() for option in options], widget=forms.RadioSelect
        )
        self.options = {option.value: option for option in options}


class OptionsField(forms.MultipleChoiceField):
    """Any number of options with words beside each."""

    def __init__(self, label: str, options: Sequence[Option], **more: Any) -> None:
        choices = [option.shown() for option in options]
        super().__init__(
            label=own_words_lazy(label), choices=choices, widget=forms.CheckboxSelectMultiple, required=False, **more
        )
        self.options = {option.value: option for option in options}


def number_field(path: Sequence[str], *, label: str, help_text: str = "") -> forms.IntegerField:
    """A setting that is a whole number, within its bounds; it may be left empty where none is a value."""
    hint, facts = setting_at(path)
    return forms.IntegerField(
        label=own_words_lazy(label),
        help_text=own_words_lazy(help_text) if help_text else "",
        required=not is_nullable(hint),
        min_value=facts.least,
        max_value=facts.most,
    )


class CardForm(forms.Form):
    """One card. ``paths`` says where in the settings each field lives; a whole number gets its bounds from there.

    ``change_labels`` name fields in the history where their own labels say too little.
    """

    template_of_card: ClassVar[str] = "loyalty/settings/form.html"
    # What to do when the settings changed in between.
    again: ClassVar[str] = gettext_noop(
        "Your choice is still marked below. Press Save again if you want it all the same."
    )
    paths: ClassVar[Mapping[str, Path]]
    change_labels: ClassVar[Mapping[str, str]] = {}

    def __init__(self, *args: Any, settings: StoreSettings, store: Store, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix, self.auto_id = "", f"{type(self).__name__.lower()}_%s"
        self.initial = {name: value_at(settings, path) for name, path in self.paths.items()}
        self.settings, self.store = settings, store
        for name, path in self.paths.items():
            field = self.fields[name]
            if type(field) is forms.IntegerField:
                self.fields[name] = number_field(path, label=str(field.label), help_text=str(field.help_text))

    def patch(self) -> dict[str, Any]:
        """What a valid form changes, in the shape of the settings."""
        return patch_of({path: self.cleaned_data[name] for name, path in self.paths.items()})

    def keep(self) -> None:
        """Keep what a valid form brings beside the settings, and they will name; in the transaction that saves them."""

    def chosen(self) -> StoreSettings:
        """The settings as they would be with what is chosen here; as they are while it is wrong or nothing is sent."""
        if not self.is_bound or not self.is_valid():
            return self.settings
        data = merged(settings_to_json(self.settings), self.patch())
        return settings_from_json(data, version=self.settings.version)

    def warnings(self) -> Sequence[str]:
        """Sentences about what is chosen that may be meant and may be a mistake."""
        return ()

    def words(self, name: str, value: Any) -> tuple[str, str]:
        """A field's value for people, and what it means."""
        field = self.fields[name]
        if isinstance(field, OptionField):
            return field.options[value].said()
        if isinstance(field, OptionsField):
            labels = [field.options[item].said()[0] for item in value if item in field.options]
            return enumerated(labels) or _("none"), str(field.help_text)
        return _plain_words(value), str(field.help_text)

    def said(self) -> list[Change]:
        """What is saved, for people who may not change it: name, value, and what it means."""
        return [(str(self.fields[name].label), *self.words(name, self.initial[name])) for name in self.paths]

    def changes(self, before: StoreSettings, after: StoreSettings) -> list[Change]:
        """What differs between two versions in what this card is about."""
        found = []
        for name, path in self.paths.items():
            old, new = value_at(before, path), value_at(after, path)
            if old != new:
                label = self.change_labels.get(name)
                label = own_words(label) if label else str(self.fields[name].label)
                found.append((label, self.words(name, old)[0], self.words(name, new)[0]))
        return found

    def done(self, title: str) -> str:
        """What is said once the card named ``title`` is saved."""
        return _("“%(title)s” is saved.") % {"title": own_words(title)}

    def show_refusal(self, error: Invalid) -> None:
        """Put what the settings' own check refused beside the fields it is about."""
        names = {"/" + "/".join(path): name for name, path in self.paths.items()}
        for item in error.errors:
            self.add_error(names.get(item.pointer), item.detail)


class SwitchForm(CardForm):
    """A card of one switch, which acts at once: there is no Save, and no other field that it could save.

    Pressed, it says what it is to be and not that it changes, so that twice is once. ``done_on`` and ``done_off`` say
    what happened.
    """

    template_of_card = "loyalty/settings/switch.html"
    again = gettext_noop(
        "The switch below shows how it stands now. Press it again if you want to change it all the same."
    )
    done_on: ClassVar[str]
    done_off: ClassVar[str]

    @property
    def switch(self) -> BoundField:
        """The one field."""
        (name,) = self.paths
        return self[name]

    @property
    def is_on(self) -> bool:
        """How it stands, whatever was asked for."""
        return bool(self.initial[self.switch.name])

    def words(self, name: str, value: Any) -> tuple[str, str]:
        """On or off."""
        return _("On") if value else _("Off"), str(self.fields[name].help_text)

    def done(self, title: str) -> str:
        """What it now does."""
        return own_words(self.done_on if self.cleaned_data[self.switch.name] else self.done_off)


@dataclass(frozen=True, slots=True)
class Sample:
    """A message as customers would get it, with an invented customer."""

    title: str
    subject: str
    text: str


# What a choice, saved or not, means for this store at this moment, in one sentence; and messages it leads to.
Effect = Callable[[Store, StoreSettings, datetime], str]
Samples = Callable[[Store, StoreSettings, datetime], Sequence[Sample]]


@dataclass(frozen=True, slots=True)
class CardKind:
    """A card of a page. ``key`` is its name in addresses and in what is sent."""

    key: str
    title: str
    form: type[CardForm]
    effect: Effect | None = None
    samples: Samples | None = None


def value_at(settings: StoreSettings, path: Sequence[str]) -> Any:
    """One setting."""
    value: Any = settings
    for name in path:
        value = getattr(value, name)
    return value


def patch_of(values: Mapping[Path, Any]) -> dict[str, Any]:
    """Settings by their path as nested objects."""
    patch: dict[str, Any] = {}
    for path, value in values.items():
        inner = patch
        for name in path[:-1]:
            inner = inner.setdefault(name, {})
        inner[path[-1]] = value
    return patch


def differences(
    cards: Sequence[CardKind], before: StoreSettings, after: StoreSettings, *, store: Store
) -> list[Change]:
    """What differs between two versions in what these cards are about, in their order."""
    return [
        change
        for card in cards
        if any(value_at(before, path) != value_at(after, path) for path in card.form.paths.values())
        for change in card.form(settings=after, store=store).changes(before, after)
    ]


def _plain_words(value: Any) -> str:
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, list | tuple):
        return enumerated(map(str, value)) or _("none")
    return _("none") if value is None else str(value)
