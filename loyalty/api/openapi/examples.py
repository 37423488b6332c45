"""Examples in the OpenAPI description: requests that were sent, with what was answered.

They are kept as one file, written by `docs/record_examples.py` and held against the API by a test. Nobody writes them
by hand, so an example can be sent as it is, and the order that is made in one is the one that is cancelled in another.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, Self

Schema = dict[str, Any]

KEPT: Final = Path(__file__).with_name("examples.json")
JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"
_FIRST_REFUSAL: Final = 400


@dataclass(frozen=True, kw_only=True)
class Example:
    """One request and its answer; ``address`` is the operation's, with ``path`` in its places."""

    method: str
    address: str
    title: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    status: int
    answer_headers: Mapping[str, str]
    answer: Any

    @property
    def operation(self) -> str:
        """The operation, such as ``POST /api/v1/orders/``."""
        return f"{self.method} {self.address}"

    @property
    def granted(self) -> bool:
        """Whether it was carried out, and not refused."""
        return self.status < _FIRST_REFUSAL

    def replaced(self, texts: Mapping[str, str]) -> Self:
        """The same with other texts in the place of these, wherever they stand."""
        said = json.dumps(asdict(self))
        for text, instead in texts.items():
            said = said.replace(text, instead)
        return type(self)(**json.loads(said))


@dataclass
class Examples:
    """All of them by name, and what webhooks send by their event; a name is used once for each operation."""

    operations: dict[str, dict[str, Example]] = field(default_factory=dict)
    webhooks: dict[str, Any] = field(default_factory=dict)

    def add(self, name: str, example: Example) -> None:
        """One more."""
        named = self.operations.setdefault(example.operation, {})
        if name in named:
            raise ValueError(f"There are two examples {name} of {example.operation}.")
        named[name] = example

    def to_json(self) -> Any:
        """As they are kept."""
        return json.loads(json.dumps(asdict(self)))

    @classmethod
    def from_json(cls, kept: Any) -> Self:
        """As they were kept."""
        operations = {
            operation: {name: Example(**example) for name, example in named.items()}
            for operation, named in kept["operations"].items()
        }
        return cls(operations, kept["webhooks"])


@cache
def kept_examples() -> Examples:
    """The examples that are kept."""
    return Examples.from_json(json.loads(KEPT.read_text()))
