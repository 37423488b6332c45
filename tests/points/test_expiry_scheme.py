"""How long points live under a store's scheme (L7)."""

from datetime import date

import pytest

from loyalty.store_settings.sections import PointsExpirySettings
from points.expiry_scheme import next_scheme_day, scheme_last_day


@pytest.mark.parametrize(
    ("scheme", "awarded", "expected"),
    [
        (PointsExpirySettings("never"), date(2026, 1, 5), None),
        (PointsExpirySettings("days", days=1), date(2026, 1, 5), date(2026, 1, 6)),
        (PointsExpirySettings("days", days=365), date(2024, 1, 5), date(2025, 1, 4)),
        (PointsExpirySettings("yearly", month=12, day=31), date(2026, 1, 1), date(2027, 12, 31)),
        (PointsExpirySettings("yearly", month=12, day=31), date(2026, 12, 31), date(2027, 12, 31)),
        (PointsExpirySettings("yearly", month=3, day=15), date(2026, 6, 1), date(2027, 3, 15)),
        (PointsExpirySettings("yearly", month=2, day=29), date(2026, 6, 1), date(2027, 2, 28)),
        (PointsExpirySettings("yearly", month=2, day=29), date(2027, 6, 1), date(2028, 2, 29)),
    ],
)
def test_l7_expiry_schemes(scheme: PointsExpirySettings, awarded: date, expected: date | None) -> None:
    assert scheme_last_day(scheme, awarded=awarded) == expected


@pytest.mark.parametrize(
    ("scheme", "today", "expected"),
    [
        (PointsExpirySettings("never"), date(2026, 3, 1), None),
        (PointsExpirySettings("days", days=30), date(2026, 3, 1), date(2026, 3, 31)),
        (PointsExpirySettings("yearly", month=12, day=31), date(2026, 11, 22), date(2026, 12, 31)),
        (PointsExpirySettings("yearly", month=3, day=1), date(2026, 3, 1), date(2026, 3, 1)),
        (PointsExpirySettings("yearly", month=2, day=28), date(2026, 3, 1), date(2027, 2, 28)),
        (PointsExpirySettings("yearly", month=2, day=29), date(2028, 2, 29), date(2028, 2, 29)),
    ],
)
def test_l7_the_next_day_of_the_scheme(scheme: PointsExpirySettings, today: date, expected: date | None) -> None:
    assert next_scheme_day(scheme, today=today) == expected
