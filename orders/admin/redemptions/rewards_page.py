"""The pages of rewards: what customers can get for points (R1)."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext

from loyalty.backoffice.badges import badge
from loyalty.backoffice.base import StoreModelAdmin
from loyalty.backoffice.forms import OnceForm, first_time
from loyalty.core.clock import read_clock
from loyalty.core.errors import Invalid
from loyalty.languages.own_names import own_words, own_words_lazy
from loyalty.stores.active_store import acting, active_store, may
from loyalty.stores.models import Store
from loyalty.stores.roles import Can
from orders.admin.redemptions.rows import worth_words
from orders.kinds import show
from orders.models import Reward, RewardType
from orders.services.redemptions.rewards import MOST_DAYS, RewardTerms, change_reward, create_reward

_NUMBER = {"inputmode": "numeric", "min": "1"}


class RewardForm(OnceForm):
    """What is given for how many points."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=100, help_text=gettext_lazy("Customers read it in messages.")
    )
    points = forms.IntegerField(
        label=own_words_lazy("Points"), min_value=1, max_value=10**12, widget=forms.NumberInput(attrs=_NUMBER)
    )
    type = forms.ChoiceField(label=gettext_lazy("Gives"), choices=RewardType.choices)
    value = forms.DecimalField(
        label=gettext_lazy("Value"),
        max_digits=15,
        decimal_places=3,
        localize=False,
        widget=forms.TextInput({"inputmode": "decimal"}),
    )
    valid_days = forms.IntegerField(
        label=gettext_lazy("Valid for days"),
        required=False,
        min_value=1,
        max_value=MOST_DAYS,
        widget=forms.NumberInput(attrs=_NUMBER),
        help_text=own_words_lazy(
            "From the day on which it is redeemed. Left empty, the code or the credits never expire."
        ),
    )
    limit_per_customer = forms.IntegerField(
        label=gettext_lazy("Times per customer at most"),
        required=False,
        min_value=1,
        max_value=10**6,
        widget=forms.NumberInput(attrs=_NUMBER),
        help_text=own_words_lazy(
            "How many times. Left empty, as often as there are points. Reversed ones do not count."
        ),
    )
    active = forms.BooleanField(
        label=gettext_lazy("Offered"),
        required=False,
        initial=True,
        help_text=gettext_lazy("Not offered: nobody can redeem it; codes stay valid."),
    )

    def __init__(self, *args: Any, store: Store, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["value"].help_text = _("An amount in %(currency)s, or the percentage, such as 10.") % {
            "currency": store.currency
        }

    def terms(self, currency: str) -> RewardTerms:
        """What was filled in; ``currency`` is what the reward has had so far."""
        data = {name: value for name, value in self.cleaned_data.items() if name != "once"}
        return RewardTerms(**data, currency="" if data["type"] == RewardType.PERCENTAGE else currency)


@admin.register(Reward)
class RewardAdmin(StoreModelAdmin):
    """The list of rewards, and the form that adds or changes one."""

    add_needs = Can.CHANGE_SETTINGS
    related = ("store",)
    list_display = ("called", "cost", "worth", "valid", "limit", "offered")
    ordering = ("-active", "points", "id")
    empty_title = gettext_noop("No rewards yet")
    empty_hint = gettext_noop("A reward is what customers get for points: a discount code, or store credits.")

    @admin.display(description=gettext_lazy("Name"))
    def called(self, reward: Reward) -> str:
        return reward.name

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Offer a new reward."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        return self._page(request, None)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Change a reward, or offer it no more; who may not sees what it gives."""
        return self._page(request, self.row_or_404(request, object_id))

    def _page(self, request: HttpRequest, reward: Reward | None) -> HttpResponse:
        store, may_change = active_store(request), may(request, Can.CHANGE_SETTINGS)
        if request.method == "POST" and not may_change:
            raise PermissionDenied
        form = RewardForm(request.POST or None, store=store, initial=_initial(reward))
        if request.method == "POST" and form.is_valid():
            try:
                messages.success(request, _save(form, reward, request))
            except Invalid as error:
                form.show_errors(error, {f"/{name}": name for name in form.fields})
            else:
                return HttpResponseRedirect(reverse("admin:orders_reward_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "title": reward.name if reward else _("New reward"),
            "opts": self.opts,
            "original": reward,
            "form": form if may_change else None,
            "hint": _hint(reward, store),
            "submit": _("Save reward") if reward else _("Offer reward"),
            "back": reverse("admin:orders_reward_changelist"),
        }
        return TemplateResponse(request, "loyalty/form_page.html", context)

    @admin.display(description=own_words_lazy("Points"))
    def cost(self, row: Reward) -> str:
        return show(row.points, "", row.store)

    @admin.display(description=gettext_lazy("Gives"))
    def worth(self, row: Reward) -> str:
        return worth_words(row, row.store)

    @admin.display(description=gettext_lazy("Valid for"))
    def valid(self, row: Reward) -> str:
        if row.valid_days is None:
            return _("Never expires")
        return ngettext("%(days)s day", "%(days)s days", row.valid_days) % {"days": row.valid_days}

    @admin.display(description=gettext_lazy("For each customer"))
    def limit(self, row: Reward) -> str:
        if row.limit_per_customer is None:
            return _("Any number")
        return _("%(count)s at most") % {"count": row.limit_per_customer}

    @admin.display(description=gettext_lazy("State"))
    def offered(self, row: Reward) -> SafeString:
        return badge(_("Offered"), "green") if row.active else badge(_("Not offered"))


def _initial(reward: Reward | None) -> dict[str, Any]:
    if reward is None:
        return {"type": RewardType.FIXED, "active": True}
    names = ("name", "points", "type", "valid_days", "limit_per_customer", "active")
    value: Decimal = reward.value
    # 5.000 is stored; people write 5, and 5.50 where there is a fraction.
    shown = f"{value:.0f}" if value == value.to_integral_value() else f"{value.normalize():.2f}"
    return {name: getattr(reward, name) for name in names} | {"value": shown}


def _hint(reward: Reward | None, store: Store) -> str:
    if reward is None:
        return own_words(
            "What customers get for points. Codes that were redeemed before a change keep their old terms."
        )
    return _("%(points)s for %(worth)s. Codes that were redeemed stay as they are.") % {
        "points": show(reward.points, "", store),
        "worth": worth_words(reward, store),
    }


@transaction.atomic
def _save(form: RewardForm, reward: Reward | None, request: HttpRequest) -> str:
    store, actor, now = active_store(request), acting(request), read_clock()
    if reward is not None:
        terms = form.terms(reward.currency)
        change_reward(store=store, reward_id=reward.pk, terms=terms, actor=actor, now=now)
        return _("“%(reward)s” is saved.") % {"reward": terms.name}
    terms = form.terms("")
    if not first_time(form.cleaned_data["once"], store=store, now=now):
        return _("“%(reward)s” was saved already. Nothing was changed this time.") % {"reward": terms.name}
    create_reward(store=store, terms=terms, actor=actor, now=now)
    return (
        _("“%(reward)s” is offered.") % {"reward": terms.name}
        if terms.active
        else _("“%(reward)s” is saved, and not offered yet.") % {"reward": terms.name}
    )
