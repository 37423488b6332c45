"""Ids of requests and runs: what is accepted, and where they are told."""

import pytest

from loyalty.core.causes import HEADER, Cause, accepted_id, because_of, cause, run_of, told_onwards


@pytest.mark.parametrize("brought", ["a", "7f3c-1.b_2", "A" * 64, "0" * 32])
def test_an_id_that_is_one_is_taken_as_it_is(brought: str) -> None:
    assert accepted_id(brought) == brought


@pytest.mark.parametrize(
    "brought", ["", "A" * 65, "-a", "a b", "a\nb", "ana@example.com", "a%40b", "é", "<b>", "a,b", "../x"]
)
def test_anything_else_gets_a_new_one(brought: str) -> None:
    made = accepted_id(brought)
    assert made != brought
    assert accepted_id(made) == made


def test_a_partner_is_told_the_request_else_the_run() -> None:
    assert told_onwards() == {}
    with run_of("loyalty.prune") as run:
        assert told_onwards() == {HEADER: run.job_id}
        assert cause().doing == "loyalty.prune"
    with run_of("loyalty.prune", request_id="asked"):
        assert told_onwards() == {HEADER: "asked"}
    with because_of(Cause(request_id="outer")):
        with run_of("loyalty.prune"):
            pass
        assert told_onwards() == {HEADER: "outer"}
