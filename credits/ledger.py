"""The store-credit ledger: the engine over credit tables."""

from typing import Final

from credits.models import CreditAllocation, CreditLot, CreditMovement
from loyalty.ledger.ledger import Ledger
from loyalty.ledger.posting import Tables

CREDITS: Final = Ledger("credits", Tables(CreditLot, CreditAllocation, CreditMovement, "numeric", has_currency=True))
