"""What `check_ledger` proves of orders and redemptions (H5)."""
