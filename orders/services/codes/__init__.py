"""Discount codes: used by orders, made and deleted on the platform (R3, R7)."""
