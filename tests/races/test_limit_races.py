"""One person who adjusts in two tabs at the same moment (T7)."""

from functools import partial

import pytest

from loyalty.ledger.staff_limits import Adjuster
from loyalty.store_settings.sections import LimitSettings, StoreSettings
from loyalty.stores.models import Role
from points.sheets import Desk, Line, SheetStale, carry_out_sheet, check_sheet, digest_of, read_sheet
from tests import factories
from tests.factories import NOW
from tests.races.racing import ROUNDS, together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]


def test_t7_two_tables_at_once_give_no_more_than_the_day_allows() -> None:
    limits = LimitSettings(support_adjust_points=1000)
    for _ in ROUNDS:
        store = factories.make_store()
        user = factories.make_user((store, Role.SUPPORT))
        desk = Desk(Adjuster(store, user, Role.SUPPORT, limits), StoreSettings(limits=limits))
        customers = [factories.make_customer(store) for _ in range(2)]
        tables = [read_sheet(f"customer,points,reason\n{customer.email},700,x\n") for customer in customers]
        calls = [
            partial(carry_out_sheet, rows, shown=digest_of(check_sheet(rows, desk=desk, now=NOW)), desk=desk, now=NOW)
            for rows in tables
        ]

        answers: list[list[Line] | object] = [*together(*calls)]

        assert sum(isinstance(answer, SheetStale) for answer in answers) == 1
        assert sum(factories.balance("points", customer, now=NOW) for customer in customers) == 700
