"""Who and what the demonstration shows: two stores, their people, their customers, their shelves."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from loyalty.store_settings.sections import AutoCancelSettings, PointsExpirySettings, StoreSettings
from loyalty.stores.models import Role

PASSWORD: Final = "demonstration"  # noqa: S105 - known to everybody, which is why it is refused in production
OPERATOR: Final = "operator@loyalty.example"
BOTH_STORES: Final = "both@loyalty.example"


@dataclass(frozen=True, slots=True)
class DemoStore:
    """One store: what it is called, where it is, who buys there and what is on its shelf."""

    slug: str
    name: str
    currency: str
    time_zone: str
    locale: str
    platform: str
    settings: StoreSettings
    role_of_both: Role
    customers: tuple[str, ...]
    shelf: tuple[tuple[str, Decimal], ...]

    def email(self, role: Role) -> str:
        """The address of the person with ``role`` in this store."""
        return f"{role}@{self.slug}.example"


STORES: Final = (
    DemoStore(
        slug="aurora-tea",
        name="Aurora Tea",
        currency="USD",
        time_zone="Asia/Taipei",
        locale="en",
        platform="shopify",
        settings=StoreSettings(points_expiry=PointsExpirySettings(scheme="yearly", month=12, day=31)),
        role_of_both=Role.MANAGER,
        customers=(
            "Mei-Ling Chen", "Daniel Wu", "Grace Huang", "Jason Lin", "Yi-Ting Chang", "Kevin Tsai",
            "Amy Hsu", "Peter Kuo", "Shu-Fen Lee", "Ivy Yang", "Tom Cheng", "Rita Liao",
        ),
        shelf=(
            ("Alishan oolong, 100 g", Decimal("24.00")),
            ("Oriental beauty, 50 g", Decimal("31.50")),
            ("Jasmine pearls, 100 g", Decimal("18.50")),
            ("Glass teapot", Decimal("42.00")),
            ("Bamboo scoop", Decimal("6.50")),
        ),
    ),
    DemoStore(
        slug="nordlicht-kaffee",
        name="Nordlicht Kaffee",
        currency="EUR",
        time_zone="Europe/Berlin",
        locale="de",
        platform="woocommerce",
        settings=StoreSettings(
            auto_cancel=AutoCancelSettings(failed="off"), points_expiry=PointsExpirySettings(scheme="days", days=120)
        ),
        role_of_both=Role.SUPPORT,
        customers=(
            "Anna Schmidt", "Jonas Weber", "Lea Fischer", "Felix Wagner", "Marie Becker", "Paul Hoffmann",
            "Clara Koch", "Emil Richter", "Ida Wolf", "Oskar Neumann", "Frieda Braun", "Anton Krüger",
        ),
        shelf=(
            ("Espresso Polarnacht, 1 kg", Decimal("27.90")),
            ("Filterkaffee Mittsommer, 500 g", Decimal("14.50")),
            ("Hand grinder", Decimal("59.00")),
            ("Filter papers, 100", Decimal("4.90")),
            ("Enamel cup", Decimal("12.00")),
        ),
    ),
)  # fmt: skip
