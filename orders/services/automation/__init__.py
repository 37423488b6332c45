"""What jobs do to orders: payments expire, unpaid orders are cancelled, rules return value (E, F, N)."""
