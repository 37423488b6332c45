"""Discount codes that were issued for points: made and deleted on the platform, used by orders (R3, R7)."""
