"""Statements that are sent ahead: what fails is said before anything counts as done, and the connection goes on."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, OperationalError, connection, connections, transaction
from django.db.transaction import TransactionManagementError
from psycopg import errors

from loyalty.database.busy import is_away, is_busy
from loyalty.database.prepared import ask, together, when_answered
from loyalty.stores.actors import Act, Actor, Trigger
from loyalty.stores.models import Store
from orders.services.reverts.apply import Details
from orders.services.reverts.cancel import cancel_order
from orders.services.reverts.choices import CancelChoice
from tests import factories
from tests.database import as_owner
from tests.factories import NOW
from tests.races.racing import PATIENCE

_WRITE = "INSERT INTO kept (id) VALUES (%s::bigint)"
_READ = "SELECT id FROM kept WHERE id > %s::bigint ORDER BY id"


@pytest.fixture
def kept(transactional_db: None) -> Iterator[None]:
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE kept (id bigint PRIMARY KEY CHECK (id < 100))")
        cursor.execute("GRANT ALL ON kept TO PUBLIC")
    yield
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("DROP TABLE kept")


def _ids() -> list[int]:
    return [pk for (pk,) in ask(_READ, [0]).rows()]


@pytest.mark.usefixtures("kept")
def test_what_is_sent_is_answered_in_its_order() -> None:
    answered: list[int] = []
    with transaction.atomic(), together():
        ask(_WRITE, [1])
        first = ask(_READ, [0])
        second = ask(_WRITE, [2])
        when_answered(lambda: answered.append(second.count))
        assert not answered, "nobody has waited yet"
        assert first.rows() == [(1,)]
        assert answered == [1], "whatever was sent before is answered with it"
        ask(_WRITE, [3])
        when_answered(lambda: answered.append(3))
    assert answered == [1, 3]
    assert _ids() == [1, 2, 3]
    when_answered(lambda: answered.append(4))
    assert answered == [1, 3, 4], "where nothing is sent ahead, all is answered"


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("wait", [lambda: None, _ids, transaction.savepoint], ids=["end", "read", "savepoint"])
def test_what_fails_undoes_everything_and_the_connection_goes_on(
    wait: Callable[[], object], caplog: pytest.LogCaptureFixture
) -> None:
    done: list[str] = []
    with pytest.raises(IntegrityError) as raised, transaction.atomic():  # noqa: PT012 - what follows is not reached
        with together():
            ask(_WRITE, [1])
            ask(_WRITE, [100])
            ask(_WRITE, [2])
            when_answered(lambda: done.append("answered"))
            wait()
        done.append("ended")
    assert isinstance(raised.value.__cause__, errors.CheckViolation)
    assert not done
    assert not caplog.records, "an error says values"
    with transaction.atomic(), together():
        ask(_WRITE, [3])
    assert _ids() == [3]


@pytest.mark.usefixtures("kept")
def test_an_error_of_ours_comes_before_one_that_was_not_awaited(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(LookupError), transaction.atomic(), together():  # noqa: PT012 - one comes before the other
        ask(_WRITE, [100])
        raise LookupError
    assert not caplog.records
    assert not _ids()


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("written", [100, 50], ids=["refused by the database", "refused by us"])
def test_a_savepoint_undoes_what_came_after_it_alone(written: int) -> None:
    done: list[str] = []
    with transaction.atomic(), together():
        ask(_WRITE, [1])
        when_answered(lambda: done.append("before"))
        with pytest.raises((IntegrityError, LookupError)), transaction.atomic():  # noqa: PT012 - it fails late
            ask(_WRITE, [written])
            when_answered(lambda: done.append("within"))
            if written == 50:
                raise LookupError
        # What was passed over was not prepared either; it is now, and stays so.
        ask(_WRITE, [2])
        ask(_WRITE, [3])
        with transaction.atomic():
            ask(_WRITE, [4])
    assert done == ["before"]
    assert _ids() == [1, 2, 3, 4]
    with transaction.atomic(), together():
        ask(_WRITE, [5])
        ask(_WRITE, [6])
    assert _ids() == [1, 2, 3, 4, 5, 6]


@pytest.mark.usefixtures("kept")
def test_one_within_another_is_a_part_of_it() -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), together():  # noqa: PT012 - it fails late
        with together():
            ask(_WRITE, [100])
        ask(_WRITE, [1])
    assert not _ids()


@pytest.mark.django_db
def test_the_orm_is_told_at_once_how_many_rows_it_changed() -> None:
    store = factories.make_store()
    with transaction.atomic(), together():
        ask("SELECT %s::bigint", [1])
        assert Store.objects.filter(pk=store.pk).update(name="Tea") == 1
        store.name = "Coffee"
        store.save(force_update=True)
    assert Store.objects.get(pk=store.pk).name == "Coffee"


@pytest.mark.usefixtures("kept")
def test_nothing_is_sent_ahead_outside_of_a_transaction() -> None:
    with pytest.raises(TransactionManagementError), together():
        ask(_WRITE, [1])
    assert not _ids()


def _elsewhere(call: Callable[[], None]) -> Exception | None:
    """What becomes of a call on a connection of its own, which must be usable afterwards."""
    try:
        call()
    except DatabaseError as error:
        with transaction.atomic(), together():
            ask(_READ, [0])
        return error
    finally:
        connection.close()
    return None


@pytest.mark.usefixtures("kept")
def test_of_two_that_wait_for_each_other_one_is_told_and_can_repeat() -> None:
    change = "UPDATE kept SET id = id + 10 WHERE id = %s::bigint"
    both_hold_one = Barrier(2, timeout=PATIENCE)
    with transaction.atomic(), together():
        ask(_WRITE, [1])
        ask(_WRITE, [2])

    def crosswise(first: int, second: int) -> None:
        with transaction.atomic(), together():
            ask(change, [first])
            _ids()
            both_hold_one.wait()
            ask(change, [second])

    with ThreadPoolExecutor(2) as pool:
        calls = [partial(crosswise, 1, 2), partial(crosswise, 2, 1)]
        [error] = [error for error in pool.map(_elsewhere, calls) if error]
    assert is_busy(error)
    assert isinstance(error.__cause__, errors.DeadlockDetected)
    assert _ids() == [11, 12]


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("reads", [True, False], ids=["while one reads", "at the end"])
def test_a_connection_that_was_ended_is_said_to_be_away_and_replaced(*, reads: bool) -> None:
    def ended() -> None:
        with transaction.atomic(), together():
            ask(_WRITE, [1])
            ask("SET LOCAL ROLE NONE")
            ask("SELECT pg_terminate_backend(pg_backend_pid())")
            if reads:
                ask(_READ, [0]).rows()

    with ThreadPoolExecutor(1) as pool:
        error = pool.submit(_elsewhere, ended).result(timeout=20)
    assert isinstance(error, OperationalError)
    assert is_away(error)
    assert not _ids()


@pytest.mark.usefixtures("kept")
def test_what_was_slow_together_is_named_without_values(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections["default"], "_slow", 0.0)
    with transaction.atomic(), together():
        ask(_WRITE, [77])
        ask(_READ, [0])
    said = [one.getMessage() for one in caplog.records if one.name == "loyalty.slow_statements"]
    assert any(said.endswith(f"{_WRITE} / {_READ}".replace("0", "?")) for said in said), said
    assert "77" not in "".join(said)


@pytest.mark.django_db
def test_a_cancel_waits_three_times(monkeypatch: pytest.MonkeyPatch) -> None:
    customer = factories.make_customer(factories.make_store())
    factories.grant("credits", customer, "10.00")
    factories.grant("points", customer, 10)
    order = factories.make_order(customer, credits="10.00", points=10)
    waited: list[int] = []
    database: Any = connections["default"]
    answered = database._answered

    def counted(began: float) -> None:
        if database._sent:
            waited.append(len(database._sent))
        answered(began)

    monkeypatch.setattr(database, "_answered", counted)
    result = cancel_order(
        store=order.store,
        order_id=order.pk,
        choice=CancelChoice(returns={"credits": True, "points": True}),
        details=Details(),
        token=None,
        act=Act(Actor.job("tests"), Trigger.API, NOW),
    )
    assert result.order.credit_revert_status == "reverted"
    # What it depends on; the customer's lock and the returns' ids; all that follows from them.
    assert waited == [4, 2, 4]
