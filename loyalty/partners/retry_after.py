"""What a partner's ``Retry-After`` asks for (RFC 9110, 10.2.3)."""

import re
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

# Whole seconds by the standard; some platforms write "2.0".
_SECONDS: Final = re.compile(r"[0-9]+(\.[0-9]+)?")


def asked_to_wait(said: str, now: datetime, *, at_most: timedelta) -> timedelta | None:
    """How long it asks to wait, in seconds or until a date; None where it says nothing that can be meant.

    Never longer than ``at_most``, and not at all for a date that is over.
    """
    said = said.strip()
    if _SECONDS.fullmatch(said):
        return timedelta(seconds=min(float(said), at_most.total_seconds()))
    try:
        at = parsedate_to_datetime(said)
    except ValueError:
        return None
    return min(max(at - now, timedelta(0)), at_most) if at.tzinfo else None
