"""Whether what is to be confirmed is still what was shown."""

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any


def digest_of(facts: Sequence[Any]) -> str:
    """Equal for equal facts: numbers, texts and days, in lists; a Decimal as the text of its digits."""
    return sha256(json.dumps(facts, default=str).encode()).hexdigest()
