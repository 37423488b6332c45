"""What check_ledger proves of member points (H5)."""

from typing import Final

from loyalty.proof.ledger import ledger_check
from points.ledger import POINTS

CHECK: Final = ledger_check(POINTS.tables, name="member points")
