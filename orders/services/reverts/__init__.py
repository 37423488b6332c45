"""Giving back what an order used, and taking that back: the product's core (M1-M11)."""
