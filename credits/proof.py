"""What check_ledger proves of store credits (H5)."""

from typing import Final

from credits.ledger import CREDITS
from loyalty.proof.ledger import ledger_check

CHECK: Final = ledger_check(CREDITS.tables, name="store credit")
