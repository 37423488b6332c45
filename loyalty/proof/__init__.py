"""Proving the books: what `check_ledger` holds, and how it looked last time (H5)."""
