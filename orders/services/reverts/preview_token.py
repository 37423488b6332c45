"""What a preview leaves with whoever may confirm it: the choice and the facts behind what was shown, signed (M6)."""

from dataclasses import dataclass
from datetime import date
from typing import Final, Self

from django.core import signing

from orders.services.reverts.choices import CancelChoice, ResolvedChoice

CANCEL: Final = "orders.preview"
REVERSAL: Final = "orders.reversal"


@dataclass(frozen=True, slots=True)
class Shown:
    """The choice as it was asked for and as it was resolved, and the digest of the plan that was shown."""

    asked: CancelChoice
    resolved: ResolvedChoice
    digest: str

    def token(self, purpose: str) -> str:
        """What travels; ``purpose`` is ``CANCEL`` or ``REVERSAL``, and a token of the one is none of the other."""
        said = {"asked": self.asked.to_json(), "resolved": self.resolved.to_json(), "digest": self.digest}
        return signing.dumps(said, salt=purpose, compress=True)

    @classmethod
    def read(cls, token: str, purpose: str) -> Self | None:
        """What was shown, or None when the token is not one of ours."""
        try:
            said = signing.loads(token, salt=purpose)
        except signing.BadSignature:
            return None
        return cls(CancelChoice.from_json(said["asked"]), ResolvedChoice.from_json(said["resolved"]), said["digest"])

    def is_of(self, choice: CancelChoice) -> bool:
        """Whether this is what was chosen when it was shown."""
        return self.asked.to_json() == choice.to_json()

    def is_ahead(self, today: date) -> bool:
        """Whether no day that value was to be extended to is over."""
        return all(day >= today for day in (*self.resolved.extend.values(), *self.resolved.extend_allocations.values()))
