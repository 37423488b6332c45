"""Giving back what an order used, and taking that back: the heart of the product (M1-M11)."""
