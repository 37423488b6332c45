"""The state in words: each part green, amber or red with a sentence, and what to do about it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from loyalty.jobs.periodic import JOBS, PULSE
from loyalty.journal.models import JobRun
from loyalty.monitoring.backlogs import Waiting
from loyalty.monitoring.findings import Finding, Light, findings, worst
from loyalty.monitoring.state import Books, Job, State
from tests.factories import NOW


def job(name: str, late: float | None = 0.0, error: str = "") -> Job:
    failed_at = NOW if error else None
    run = JobRun(name=name, started_at=NOW, seconds=0.1, error=error, failed_at=failed_at)
    return Job(name, None if late is None else run, late)


WELL: Final = State(
    NOW,
    jobs=[job(name) for name in JOBS],
    backlogs=[Waiting("loyalty.deliver_notices", "notices", 3, 20.0, 300.0)],
    returns={},
    books=Books(faults=0, age=3600.0, unchecked=0),
    partners={},
    set_aside={"orders": 0, "customers": 0},
)


def with_job(changed: Job) -> dict[str, Any]:
    return {"jobs": [changed if one.name == changed.name else one for one in WELL.jobs]}


def read(state: State, *, broker_answers: bool = True, resting: Sequence[str] = ()) -> dict[str, Finding]:
    return {one.part: one for one in findings(state, broker_answers=broker_answers, resting=resting)}


def test_when_all_is_well_every_line_is_green_and_asks_for_nothing() -> None:
    found = read(WELL)
    assert {(one.light, one.do, one.page) for one in found.values()} == {(Light.GREEN, "", None)}
    assert worst([*found.values()]) is Light.GREEN
    assert len(found) == 7


def behind(seconds: float, patience: float = 300.0) -> dict[str, Any]:
    return {"backlogs": [Waiting("loyalty.deliver_notices", "notices", 12000, seconds, patience)]}


@pytest.mark.parametrize(
    ("facts", "part", "light", "says"),
    [
        (with_job(job(PULSE, None)), "Beat and workers", Light.RED, "No job has run yet."),
        (with_job(job(PULSE, 301)), "Beat and workers", Light.RED, "beat asks for every minute is 5 minutes late"),
        (with_job(job("loyalty.prune", 400)), "Jobs", Light.AMBER, "One job is late: Temporary data"),
        (
            with_job(job("loyalty.prune", 0, "boom")),
            "Jobs",
            Light.RED,
            "The last run of one job failed: Temporary data",
        ),
        (behind(301), "Waiting work", Light.AMBER, "waited for 5 minutes, and 12,000 wait"),
        (behind(1801), "Waiting work", Light.RED, "waited for 30 minutes"),
        ({"set_aside": {"orders": 2, "customers": 1}}, "Set aside", Light.AMBER, "3 orders and customers could not be"),
        ({"books": Books(1, 60.0, 0)}, "Books", Light.RED, "found one fault"),
        ({"books": Books(0, timedelta(days=3).total_seconds(), 0)}, "Books", Light.AMBER, "checked 3 days ago"),
        ({"books": Books(0, None, 2)}, "Books", Light.GREEN, "No store has been checked yet"),
    ],
)
def test_what_is_not_well_is_said(facts: Mapping[str, Any], part: str, light: Light, says: str) -> None:
    found = read(replace(WELL, **facts))
    assert found[part].light is light
    assert says in found[part].says
    assert worst([*found.values()]) is light
    assert bool(found[part].do) is (light is not Light.GREEN)


def test_a_piece_of_work_that_takes_its_time_is_not_behind() -> None:
    assert read(replace(WELL, **behind(1801, patience=3600.0)))["Waiting work"].light is Light.GREEN


def test_broker_and_partners_are_told_from_outside() -> None:
    found = read(WELL, broker_answers=False, resting=["mail.example:25", "shop.example"])
    assert found["Broker"].light is Light.RED
    assert "Nothing is lost" in found["Broker"].says
    assert found["Partners"].light is Light.AMBER
    assert "2 hosts do not answer" in found["Partners"].says
    assert "mail.example:25, shop.example" in found["Partners"].says
