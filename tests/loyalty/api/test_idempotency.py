"""Commands happen once."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections

from credits.models import CreditLot
from loyalty.api.models import CommandAnswer
from loyalty.jobs.periodic import run_job
from loyalty.stores.models import Customer, Store
from tests.loyalty.api.support import NOW, ApiClient, make_customer

BODY = {"amount": "5.00", "reason": "gift"}


@pytest.fixture
def path(customer: Customer) -> str:
    """A command's address."""
    return f"/customers/{customer.pk}/credits/"


@pytest.mark.parametrize("key", [None, "", " ", "x" * 256, "a\tb"])
def test_without_a_good_key_400(api: ApiClient, path: str, key: str | None) -> None:
    headers = {} if key is None else {"idempotency_key": key}
    response = api.send("POST", path, BODY, **headers)
    assert (response.status_code, response.json()["code"]) == (400, "idempotency-key-required")
    assert not CreditLot.unscoped.exists()


def test_the_same_again_gets_the_same_answer(api: ApiClient, path: str) -> None:
    first, again = (api.command(path, BODY, key="k" * 255) for _ in range(2))
    assert "Idempotent-Replayed" not in first
    assert again["Idempotent-Replayed"] == "true"
    assert (again.status_code, again.content, again["Content-Type"]) == (201, first.content, first["Content-Type"])
    assert CreditLot.unscoped.count() == 1


def test_a_repeat_keeps_the_first_answer_s_language(api: ApiClient, path: str) -> None:
    refusal = {"amount": "-5.00", "reason": "mistake"}
    first, again = (
        api.send("POST", path, refusal, idempotency_key="k", accept_language=language) for language in ("de", "ja")
    )
    assert (first["Content-Language"], again["Content-Language"]) == ("de", "de")
    assert again.content == first.content
    CommandAnswer.unscoped.update(headers={})
    before_answers_kept_it = api.send("POST", path, refusal, idempotency_key="k", accept_language="ja")
    assert before_answers_kept_it["Content-Language"] == "en"


def test_another_body_or_address_is_422(api: ApiClient, path: str) -> None:
    api.command(path, BODY, key="k")
    for response in (
        api.command(path, BODY | {"amount": "6.00"}, key="k"),
        api.command(path.replace("credits", "points"), BODY, key="k"),
    ):
        assert (response.status_code, response.json()["code"]) == (422, "idempotency-key-reused")
    assert CreditLot.unscoped.count() == 1


def test_refusals_are_replayed_and_leave_nothing(api: ApiClient, path: str) -> None:
    refusal = {"amount": "-5.00", "reason": "mistake"}
    first = api.command(path, refusal, key="k")
    api.command(path, BODY)
    again = api.command(path, refusal, key="k")
    assert (first.status_code, again.status_code) == (422, 422)
    assert again.content == first.content
    assert again["Content-Type"] == "application/problem+json"
    assert again["Idempotent-Replayed"] == "true"


def test_malformed_json_is_a_refusal_like_others(api: ApiClient, path: str) -> None:
    assert [api.command(path, "{", key="k").status_code for _ in range(2)] == [400, 400]


def test_t1_stores_do_not_share_keys(api: ApiClient, foreign_api: ApiClient, path: str, outsider: Store) -> None:
    own = f"/customers/{make_customer(outsider).pk}/credits/"
    assert api.command(path, BODY, key="k").status_code == 201
    response = foreign_api.command(own, {"amount": "7", "reason": "gift"}, key="k")
    assert (response.status_code, response.json()["granted"]) == (201, "7")


def test_kept_for_seven_days(api: ApiClient, path: str, clock: Any) -> None:
    first = api.command(path, BODY, key="k")
    clock.shift(timedelta(days=7, seconds=-1))
    assert api.command(path, BODY, key="k").content == first.content
    clock.shift(timedelta(seconds=1))
    assert api.command(path, BODY, key="k").content != first.content
    assert CommandAnswer.unscoped.count() == 1


def test_pruned_after_seven_days(api: ApiClient, path: str) -> None:
    api.command(path, BODY)
    assert run_job("loyalty.prune", NOW + timedelta(days=7))["api.commandanswer"] == 0
    assert run_job("loyalty.prune", NOW + timedelta(days=7, seconds=1))["api.commandanswer"] == 1


@pytest.mark.django_db(transaction=True)
def test_while_the_first_runs_409(api: ApiClient, path: str, store: Store) -> None:
    with connections["default"].copy().cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, %s))", ["command:k", store.pk])
        response = api.command(path, BODY, key="k")
        cursor.execute("SELECT pg_advisory_unlock_all()")
        cursor.connection.close()
    assert (response.status_code, response.json()["code"]) == (409, "idempotency-key-in-use")
    assert api.command(path, BODY, key="k").status_code == 201


@pytest.mark.django_db(transaction=True)
def test_eight_callers_with_one_key_give_once(api: ApiClient, path: str) -> None:
    statuses: list[int] = []
    barrier = threading.Barrier(8)

    def call() -> None:
        barrier.wait()
        try:
            statuses.append(api.command(path, BODY, key="k").status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) <= {201, 409}
    assert CreditLot.unscoped.count() == 1
