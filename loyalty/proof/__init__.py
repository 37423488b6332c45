"""The proof of the books that `check_ledger` runs, and how it ended last (H5)."""
