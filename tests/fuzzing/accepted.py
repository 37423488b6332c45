"""What schemathesis cannot know of the API: today, and what is stored.

A request that keeps to the schema must be accepted. The exceptions are refusals for what no schema can say, each by
its code; every other refusal of such a request is a failure.
"""

import hashlib
import json
import re
from datetime import UTC, date, datetime
from typing import Any, Final

import schemathesis
from hypothesis import strategies as st
from schemathesis.core.failures import Failure
from schemathesis.core.parameters import ParameterLocation
from schemathesis.core.transport import Response
from schemathesis.generation.case import Case
from schemathesis.hooks import HookContext
from schemathesis.openapi.checks import RejectedPositiveData

from loyalty.api.openapi.schema import IDEMPOTENCY_KEY, KEY_PATTERN, LONGEST_KEY
from loyalty.core.instants import EARLIEST

# By what is stored: other rows, balances, versions, the settings and the currency of the store.
BY_THE_STORE: Final = frozenset(
    {
        "above-total",
        "address-not-allowed",
        "cancelled",
        "does-not-fit",
        "duplicate",
        "fell-through",
        "insufficient-balance",
        "not-found",
        "not-unique",
        "other-customer",
        "precondition-failed",
        "not-returned",
        "out-of-range",
        "same",
        "too-far",
        "too-fine",
        "too-many-digits",
        "use-cancel",
        "use-reinstate",
    }
)
# By the clock.
BY_THE_CLOCK: Final = frozenset({"in-the-past"})
# By what the bytes of a file are.
BY_THE_FILE: Final = frozenset({"no-picture"})

_KEY: Final = IDEMPOTENCY_KEY.name
_KEPT: Final = LONGEST_KEY - 64
# Long before ten years ahead, so that the same seed sends the same at any time.
_LAST_YEAR: Final = 2034
_DAYS: Final = st.dates(EARLIEST.date(), date(_LAST_YEAR, 1, 1))
_INSTANTS: Final = st.builds(datetime.combine, _DAYS, st.times(), st.just(UTC))
schemathesis.openapi.format("date", _DAYS.map(lambda day: day.isoformat()))
schemathesis.openapi.format("date-time", _INSTANTS.map(lambda instant: instant.isoformat()))


@schemathesis.hook
def before_call(_context: HookContext, case: Case[Any], _kwargs: dict[str, Any]) -> None:
    """Give each command a key of its own, as a client does; the same command again keeps it."""
    key = case.headers.get(_KEY, "")
    if re.fullmatch(KEY_PATTERN, key) and not _breaks_headers(case):
        said = f"{case.method} {case.formatted_path} {case.query} {case.body!r}".encode()
        case.headers[_KEY] = key[:_KEPT] + hashlib.sha256(said).hexdigest()


def _breaks_headers(case: Case[Any]) -> bool:
    if case.meta is None or case.meta.generation.mode.is_positive:
        return False
    return case.meta.phase.data.parameter_location is ParameterLocation.HEADER


@schemathesis.hook
def filter_failure(_context: HookContext, failure: Failure, case: Case[Any], response: Response) -> bool:
    """Whether the failure is one."""
    if not isinstance(failure, RejectedPositiveData):
        return True
    problem = json.loads(response.content)
    between_parameters = problem.get("parameter") in ("cursor", "to") and len(case.query) > 1
    return not between_parameters and not _codes(problem) <= BY_THE_STORE | BY_THE_CLOCK | BY_THE_FILE


def _codes(problem: Any) -> set[str]:
    return {error["code"] for error in problem.get("errors", ())} or {problem["code"]}
