"""The name of the job that works imports through, for those who wake it."""

from typing import Final

JOB: Final = "orders.import_balances"
