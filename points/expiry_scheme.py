"""How long points live under a store's scheme (L7). Pure."""

from datetime import date, timedelta

from loyalty.store_settings.sections import PointsExpirySettings


def scheme_last_day(scheme: PointsExpirySettings, *, awarded: date) -> date | None:
    """The last day of use of points awarded on ``awarded`` under the store's scheme (L7); None for never.

    A yearly date of 29 February falls on the 28th in other years.
    """
    if scheme.scheme == "never":
        return None
    if scheme.scheme == "days":
        return awarded + timedelta(days=scheme.days)
    year = awarded.year + 1
    first_of_next = date(year + scheme.month // 12, scheme.month % 12 + 1, 1)
    return min(date(year, scheme.month, 1) + timedelta(days=scheme.day - 1), first_of_next - timedelta(days=1))


def next_scheme_day(scheme: PointsExpirySettings, *, today: date) -> date | None:
    """The next day on which points expire under the store's scheme, counted from ``today`` (L7); None for never."""
    if scheme.scheme != "yearly":
        return scheme_last_day(scheme, awarded=today)
    this_year = scheme_last_day(scheme, awarded=today.replace(year=today.year - 1, day=1))
    return this_year if this_year and this_year >= today else scheme_last_day(scheme, awarded=today)
