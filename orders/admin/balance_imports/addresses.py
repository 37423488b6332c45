"""Where the pages of a balance import are."""

from django.urls import reverse

from orders.models import BalanceImport


def list_address() -> str:
    """All imports of the store."""
    return reverse("admin:orders_balanceimport_changelist")


def import_address(held: BalanceImport) -> str:
    """The page of one import."""
    return reverse("admin:orders_balanceimport_change", args=[held.pk])


def layout_address(held: BalanceImport) -> str:
    """What the file is taken for, and what its columns are."""
    return reverse("admin:orders_balanceimport_layout", args=[held.pk])


def part_address(held: BalanceImport) -> str:
    """Where the parts of the file are sent."""
    return reverse("admin:orders_balanceimport_part", args=[held.pk])
