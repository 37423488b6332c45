"""Pages of a list that is never counted."""

from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.core.paginator import EmptyPage, InvalidPage, Page, Paginator
from django.http import Http404, HttpRequest

if TYPE_CHECKING:
    AnyPage = Page[Any]
    AnyPaginator = Paginator[Any]
else:
    # Django's own classes take no parameters at run time.
    AnyPage, AnyPaginator = Page, Paginator

FARTHEST_PAGE: Final = 1000
# Rows on a page.
PER_PAGE: Final = 50


class BriefPage(AnyPage):
    """A page that knows whether another follows, because one row more than is shown was read."""

    def __init__(self, rows: list[Any], number: int, paginator: "BriefPaginator") -> None:
        super().__init__(rows[: paginator.per_page], number, paginator)
        paginator.more = len(rows) > paginator.per_page and number < FARTHEST_PAGE

    def has_next(self) -> bool:
        """Whether there is anything behind this page."""
        more: bool = getattr(self.paginator, "more", False)
        return more


class BriefPaginator(AnyPaginator):
    """Previous and next instead of a count, which at a million rows would take longer than the page itself.

    Pages end at the thousandth: whoever looks for something further back narrows the list down.
    """

    template_name: ClassVar[str] = "loyalty/pagination.html"
    more = False

    @property
    def count(self) -> int:
        """A number that nothing reaches; rows are not counted."""
        return FARTHEST_PAGE * self.per_page

    def page(self, number: Any) -> BriefPage:
        """The page; an empty one behind the end. Raises EmptyPage or PageNotAnInteger for no page at all."""
        wanted = self.validate_number(number)
        if wanted > FARTHEST_PAGE:
            raise EmptyPage
        first = (wanted - 1) * self.per_page
        return BriefPage(list(self.object_list[first : first + self.per_page + 1]), wanted, self)


def page_of(request: HttpRequest, rows: Any) -> BriefPage:
    """The page that the address asks for, by ``?page=``. Raises Http404 for none."""
    try:
        return BriefPaginator(rows, PER_PAGE).page(request.GET.get("page", 1))
    except InvalidPage as error:
        raise Http404 from error
