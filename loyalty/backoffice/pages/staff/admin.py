"""The page *Staff*: who works in the store, who is invited, and of whom a second factor is asked (T2, T6)."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from loyalty.accounts.invitations.invite import invite, send_again, withdraw
from loyalty.accounts.letters import base_of
from loyalty.accounts.models import Invitation, Letter
from loyalty.accounts.staff import ask_second_factor_of, change_role, remove_member
from loyalty.backoffice.base import BackOfficeAdmin, StoreModelAdmin, StoreView, store_view
from loyalty.backoffice.form_page import form_page
from loyalty.backoffice.outcome_messages import telling_outcome
from loyalty.backoffice.pages.staff.forms import InviteForm, RoleForm, SecondFactorForm
from loyalty.core.clock import read_clock
from loyalty.core.errors import DomainError
from loyalty.stores.active_store import acting, active_store
from loyalty.stores.actors import actor_names
from loyalty.stores.dates import show_moment
from loyalty.stores.models import Membership, Role, SecondFactor, Store
from loyalty.stores.roles import Can

LIST = "admin:stores_membership_changelist"


@store_view(needs=Can.MANAGE_STAFF, methods=("POST",))
def remove_page(self: BackOfficeAdmin, request: HttpRequest, member: Membership) -> HttpResponse:
    """End somebody's work in the store."""
    try:
        remove_member(member, actor=acting(request), now=read_clock())
    except DomainError as error:
        messages.error(request, error.detail)
        return HttpResponseRedirect(reverse("admin:stores_membership_change", args=[member.pk]))
    messages.success(
        request, _("%(user)s no longer works in %(store)s.") % {"user": member.user, "store": member.store}
    )
    return HttpResponseRedirect(reverse(LIST))


@store_view(needs=Can.MANAGE_STAFF, methods=("POST",))
def withdraw_page(self: BackOfficeAdmin, request: HttpRequest, _row: None, invitation: int) -> HttpResponse:
    """Withdraw an invitation."""
    found = _invitation_or_404(request, invitation)
    with telling_outcome(request, _("The invitation to %(email)s no longer works.") % {"email": found.email}):
        withdraw(found, actor=acting(request), now=read_clock())
    return HttpResponseRedirect(reverse(LIST))


@store_view(needs=Can.MANAGE_STAFF, methods=("POST",))
def send_again_page(self: BackOfficeAdmin, request: HttpRequest, _row: None, invitation: int) -> HttpResponse:
    """Send an invitation with a new link."""
    found = _invitation_or_404(request, invitation)
    with telling_outcome(
        request, _("A new link is on its way to %(email)s. The older one no longer works.") % {"email": found.email}
    ):
        send_again(found, base=base_of(request), actor=acting(request), now=read_clock())
    return HttpResponseRedirect(reverse(LIST))


@store_view(needs=Can.MANAGE_STAFF, methods=("POST",))
def second_factor_page(self: BackOfficeAdmin, request: HttpRequest, _row: None) -> HttpResponse:
    """Choose of whom a second factor is asked."""
    form = SecondFactorForm(request.POST)
    if form.is_valid():
        whom = SecondFactor(form.cleaned_data["second_factor"])
        ask_second_factor_of(active_store(request), whom, actor=acting(request), now=read_clock())
        messages.success(request, _("A second factor is asked of: %(whom)s.") % {"whom": whom.label})
    else:
        messages.error(request, _("Choose one of the three."))
    return HttpResponseRedirect(reverse(LIST))


@admin.register(Membership)
class MembershipAdmin(StoreModelAdmin):
    """Who works in the active store and as what, and who may come."""

    view_needs = Can.MANAGE_STAFF
    add_needs = Can.MANAGE_STAFF
    list_display = ("person", "email", "role_shown")
    list_after_template = "loyalty/staff/after.html"
    empty_title = gettext_noop("Nobody works here yet")
    empty_hint = gettext_noop("Invite the store's owner first.")
    store_views: ClassVar[tuple[StoreView, ...]] = (
        StoreView("<path:object_id>/remove/", "remove", remove_page),
        StoreView("invitations/<int:invitation>/withdraw/", "withdraw", withdraw_page),
        StoreView("invitations/<int:invitation>/send-again/", "send_again", send_again_page),
        StoreView("second-factor/", "second_factor", second_factor_page),
    )

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Membership]":
        members = Membership.objects.filter(store=active_store(request))
        return members.select_related("user", "store").order_by("user__email")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with the open invitations and the question of a second factor below it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        store = active_store(request)
        more = {
            "invitations": _open(store),
            "second_factor": SecondFactorForm(initial={"second_factor": store.second_factor}),
        }
        answer: HttpResponse = super().changelist_view(request, {**(extra_context or {}), **more})
        return answer

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Invite somebody by e-mail address: nobody but the reader of its mail sees the link (T6)."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form, store = InviteForm(request.POST or None), active_store(request)
        if request.method == "POST" and form.is_valid():
            data, role = form.cleaned_data, Role(form.cleaned_data["role"])
            try:
                invite(
                    store=store,
                    email=data["email"],
                    role=role,
                    base=base_of(request),
                    actor=acting(request),
                    now=read_clock(),
                )
            except DomainError as error:
                form.add_error("email", error.detail)
            else:
                messages.success(
                    request,
                    _("An invitation is on its way to %(email)s. The role: %(role)s.")
                    % {"email": data["email"], "role": role.label},
                )
                return HttpResponseRedirect(reverse(LIST))
        hint = _(
            "We send a link to this address. It works once, for seven days, and only for whoever receives mail there."
        )
        return form_page(
            self, request, _("Invite staff"), LIST, {"form": form, "submit": _("Send invitation"), "hint": hint}
        )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Change somebody's role, or end his work here."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        member: Membership = self.row_or_404(request, object_id)
        form = RoleForm(request.POST or None, initial={"role": member.role})
        if request.method == "POST" and form.is_valid():
            try:
                change_role(member, Role(form.cleaned_data["role"]), actor=acting(request), now=read_clock())
            except DomainError as error:
                form.add_error("role", error.detail)
            else:
                messages.success(
                    request,
                    _("The role of %(user)s is now: %(role)s.")
                    % {"user": member.user, "role": member.get_role_display()},
                )
                return HttpResponseRedirect(reverse(LIST))
        danger = {
            "title": _("Remove from this store"),
            "words": _("%(user)s loses access to %(store)s with the next click.")
            % {"user": member.user, "store": member.store},
            "submit": _("Remove from this store"),
            "action": reverse("admin:stores_membership_remove", args=[member.pk]),
        }
        more = {"form": form, "submit": _("Save role"), "danger": danger, "original": member}
        return form_page(self, request, str(member.user), LIST, more)

    @admin.display(description=gettext_lazy("Name"))
    def person(self, member: Membership) -> str:
        return str(member.user)

    @admin.display(description=gettext_lazy("E-mail"))
    def email(self, member: Membership) -> str:
        return member.user.email

    @admin.display(description=gettext_lazy("Role"))
    def role_shown(self, member: Membership) -> str:
        return member.get_role_display()


def _invitation_or_404(request: HttpRequest, pk: int) -> Invitation:
    rows = Invitation.objects.for_store(active_store(request)).select_related("store")
    found: Invitation | None = rows.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _open(store: Store) -> list[dict[str, Any]]:
    """The invitations that nobody accepted or withdrew, newest first; two queries, one of them for names."""
    waiting = Letter.objects.filter(store=store, invitation=OuterRef("pk"))
    rows = Invitation.objects.for_store(store).filter(accepted_at__isnull=True, withdrawn_at__isnull=True)
    found = list(rows.annotate(error=Subquery(waiting.values("last_error")[:1])).order_by("-created_at", "-pk"))
    names, now = actor_names(row.invited_by for row in found), read_clock()
    return [
        {
            "id": row.pk,
            "email": row.email,
            "role": row.get_role_display(),
            "who": names[row.invited_by],
            "until": show_moment(row.expires_at, store),
            "over": row.expires_at <= now,
            "waits": row.error is not None,
            "error": row.error,
        }
        for row in found
    ]
