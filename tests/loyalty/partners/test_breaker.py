"""A host that does not answer is left alone for a while, by everybody."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.cache import cache
from pytest_django import Settings

from loyalty.partners.breaker import NoAnswer, Resting, asking, insisting, rest_after
from loyalty.partners.mail import ServerAway


@pytest.fixture
def host(settings: Settings) -> str:
    """A host of which nothing is known, as outside of tests."""
    settings.PARTNERS_REST = True
    return f"{uuid4().hex}.example"


@pytest.fixture
def rests(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """What is kept for which seconds; nothing runs out until it is taken away."""
    kept: dict[str, float] = {}
    add, put = cache.add, cache.set

    def remembering(do: Any) -> Any:
        def write(key: str, value: object, seconds: float) -> Any:
            kept[key.split(":")[1]] = seconds
            return do(key, value, 60)

        return write

    monkeypatch.setattr(cache, "set", remembering(put))
    monkeypatch.setattr(cache, "add", remembering(add))
    return kept


def fail(host: str, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(NoAnswer), asking(host):
            raise NoAnswer


def wake(host: str) -> None:
    cache.delete(f"partner:rests:{host}")


def test_a_host_is_left_alone_after_three_failures_in_a_row(host: str) -> None:
    fail(host, 2)
    with asking(host):
        pass
    fail(host, 3)
    with pytest.raises(Resting, match="it is asked again in 20 seconds") as told, asking(host):
        pytest.fail("It was asked.")
    assert told.value.after == timedelta(seconds=20)


def test_each_rest_is_longer(host: str, rests: dict[str, float]) -> None:
    fail(host, 3)
    assert rests["rests"] == 20
    wake(host)
    fail(host)
    assert rests["rests"] == 40
    assert [rest_after(number) for number in (1, 2, 3, 4, 5, 9, 10_000)] == [0, 0, 20, 40, 80, 300, 300]


def test_a_host_that_is_everybody_s_is_asked_again_soon_however_long_it_was_away(
    host: str, rests: dict[str, float]
) -> None:
    for _ in range(6):
        with pytest.raises(NoAnswer), asking(host, longest=8):
            raise NoAnswer
        wake(host)
    assert rests["rests"] == 8
    with asking(host, longest=8), pytest.raises(Resting) as told, asking(host, longest=8):
        pytest.fail("It was asked by two.")
    # An attempt that hangs, a rest, and the wait of those beside the next attempt: half a minute at most.
    assert settings.EMAIL_TIMEOUT + 8 + told.value.after.total_seconds() <= 30
    assert ServerAway.after == told.value.after


def test_after_a_rest_one_is_let_through_and_its_answer_opens_the_door(host: str) -> None:
    fail(host, 3)
    wake(host)
    with asking(host), pytest.raises(Resting), asking(host):
        pytest.fail("It was asked by two.")
    with asking(host), asking(host):
        pass


def test_who_insists_asks_all_the_same(host: str) -> None:
    fail(host, 3)
    with insisting(), asking(host):
        pass
    with asking(host):
        pass


def test_who_is_in_a_hurry_holds_nothing_against_a_host(host: str) -> None:
    for _ in range(5):
        with pytest.raises(NoAnswer), asking(host, counts=False):
            raise NoAnswer
    with asking(host):
        pass


def test_one_host_is_not_another(host: str) -> None:
    fail(host, 3)
    with asking(f"other.{host}"):
        pass
