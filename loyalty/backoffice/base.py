"""The base of every page about a store's rows: what is shown is the active store's, who may do what is the role's."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, ClassVar, cast

from django.core.exceptions import PermissionDenied
from django.db.models import ForeignKey, Model, QuerySet
from django.forms.models import ModelChoiceField
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import URLPattern, path
from django.utils.text import capfirst
from django.utils.translation import gettext_noop
from unfold.admin import ModelAdmin

from loyalty.backoffice.lists.export import FORMATS, export_view
from loyalty.backoffice.lists.filters import FormFilter
from loyalty.backoffice.lists.paging import BriefPaginator
from loyalty.exporting.tables import Export
from loyalty.stores.active_store import active_store, is_operator, may, store_or_none
from loyalty.stores.roles import Can
from loyalty.stores.scoping import StoreOwned

View = Callable[..., HttpResponse]
# Django's own addresses that the back-office does not have: nothing is deleted, and the journal is the history.
_NOT_HERE = ("_delete", "_history")


@dataclass(frozen=True, slots=True)
class StoreView:
    """An address of a model's own, beside list, add and change. ``view`` was made by :func:`store_view`."""

    route: str
    name: str
    view: View


def store_view(*, needs: Can, methods: Sequence[str] = ("GET", "POST")) -> Callable[[View], View]:
    """Make a method of a :class:`StoreModelAdmin` a view that cannot be reached without the permission ``needs``.

    The method gets the object of ``<path:object_id>`` instead of its id, taken from the active store's rows; an id of
    another store is a 404 as an unknown one is (T1). A view without ``object_id`` gets None.
    """

    def decorate(method: View) -> View:
        @wraps(method)
        def view(self: "BackOfficeAdmin", request: HttpRequest, **kwargs: Any) -> HttpResponse:
            if not may(request, needs):
                raise PermissionDenied
            if request.method not in (*methods, "HEAD"):
                return HttpResponseNotAllowed(methods)
            object_id = kwargs.pop("object_id", None)
            row = self.row_or_404(request, object_id) if object_id is not None else None
            return method(self, request, row, **kwargs)

        view.needs = needs  # type: ignore[attr-defined]
        return view

    return decorate


class BackOfficeAdmin(ModelAdmin):
    """What all pages of the back-office have in common. Nothing can be deleted, and Django's action log is not kept."""

    paginator = BriefPaginator
    show_full_result_count = False
    show_facets = None
    list_per_page = 50
    list_disable_select_all = True
    list_fullwidth = True
    save_on_top = False
    # Every order of rows that a list has is an index's.
    sortable_by = ()
    actions: Any = None
    store_views: ClassVar[tuple[StoreView, ...]] = ()
    # What the list can be taken away as, by whoever may see it.
    exports: ClassVar[tuple[Export, ...]] = ()
    export_formats = FORMATS
    # Words of an empty list: what is missing, and what to do about it.
    empty_title = gettext_noop("Nothing here yet")
    empty_hint = ""

    def row_or_404(self, request: HttpRequest, object_id: str) -> Any:
        """The row with this id among those the person may see; Http404 otherwise."""
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        return row

    def get_urls(self) -> list[URLPattern]:
        """Own addresses first, then list, add and change."""
        own = [
            path(item.route, self._wrapped(item.view), name=f"{_name_of(self)}_{item.name}")
            for item in self.store_views
        ]
        if self.exports:
            own.append(path("export/<slug:key>.<slug:suffix>", self._wrapped(_export), name=f"{_name_of(self)}_export"))
        return own + [url for url in super().get_urls() if not str(url.name).endswith(_NOT_HERE)]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, under the name of what is in it."""
        title = {"title": capfirst(self.opts.verbose_name_plural)}
        answer: HttpResponse = super().changelist_view(request, title | (extra_context or {}))
        return answer

    def _wrapped(self, view: View) -> View:
        @wraps(view)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            return view(self, request, *args, **kwargs)

        wrapped: View = self.admin_site.admin_view(inner)
        return wrapped

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Never Django's bulk delete."""
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nothing is deleted."""
        return False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Lists are filtered through their filter form's fields only, never through columns named in an address."""
        filters = (item for item in self.list_filter if isinstance(item, type) and issubclass(item, FormFilter))
        return any(lookup in item.form_class.base_fields for item in filters)

    def log_addition(self, *args: Any) -> None:
        """The journal is the history; Django's own log would show one store's names in another."""

    def log_change(self, *args: Any) -> None:
        """As :meth:`log_addition`."""

    def log_deletions(self, *args: Any) -> None:
        """As :meth:`log_addition`."""


def _export(admin: BackOfficeAdmin, request: HttpRequest, key: str, suffix: str) -> HttpResponse:
    # A file is sent in parts, which a page's type does not allow for.
    return cast(HttpResponse, export_view(admin, admin.exports, request, key, suffix))


def _name_of(admin: BackOfficeAdmin) -> str:
    return f"{admin.opts.app_label}_{admin.opts.model_name}"


class OperatorsPage(BackOfficeAdmin):
    """One page for operators, about all stores together: at the address of its model's list, and nothing else there."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_operator(request)

    def get_urls(self) -> list[URLPattern]:
        """The page alone."""
        return [url for url in super().get_urls() if str(url.name).endswith("_changelist")]


class StoreModelAdmin(BackOfficeAdmin):
    """Pages about rows of the active store (T1). Roles decide, Django's model permissions do not (T2)."""

    view_needs: ClassVar[Can] = Can.VIEW
    add_needs: ClassVar[Can | None] = None
    change_needs: ClassVar[Can | None] = None
    # What every list and page of these rows looks at, too.
    related: ClassVar[tuple[str, ...]] = ()

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        """The active store's rows, for lists, pages, search, autocomplete and actions alike."""
        store = store_or_none(request)
        if store is None:
            return QuerySet(self.model).none()
        rows: QuerySet[Any] = self.model.objects.for_store(store)
        if self.related:
            rows = rows.select_related(*self.related)
        return rows.order_by(*self.get_ordering(request)) if self.get_ordering(request) else rows

    def formfield_for_foreignkey(
        self, db_field: "ForeignKey[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> "ModelChoiceField[Any] | None":
        """Offer, and accept, rows of the active store only."""
        target = db_field.related_model
        if isinstance(target, type) and issubclass(target, StoreOwned):
            kwargs["queryset"] = target.objects.for_store(active_store(request))
        field: ModelChoiceField[Any] | None = super().formfield_for_foreignkey(db_field, request, **kwargs)
        return field

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """A new row belongs to the active store."""
        if not change:
            obj.store = active_store(request)
        super().save_model(request, obj, form, change)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may(request, self.view_needs)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, self.view_needs, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._may(request, self.add_needs, None)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, self.change_needs, obj)

    def _may(self, request: HttpRequest, needs: Can | None, obj: Any) -> bool:
        if needs is None or not may(request, needs):
            return False
        return not isinstance(obj, StoreOwned) or obj.store_id == active_store(request).pk
