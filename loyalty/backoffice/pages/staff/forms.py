"""The forms of the page *Staff*."""

from django import forms
from django.utils.translation import gettext_lazy

from loyalty.backoffice.forms import OnceForm
from loyalty.stores.models import Role, SecondFactor


class InviteForm(OnceForm):
    """Somebody who is to work in the store."""

    email = forms.EmailField(label=gettext_lazy("E-mail address"), max_length=254)
    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=Role.choices, initial=Role.SUPPORT)


class RoleForm(forms.Form):
    """Another role for somebody who works in the store."""

    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=Role.choices, label_suffix="")


class SecondFactorForm(forms.Form):
    """Of whom a second factor is asked."""

    second_factor = forms.ChoiceField(
        label=gettext_lazy("Who needs a second factor"), choices=SecondFactor.choices, label_suffix=""
    )
