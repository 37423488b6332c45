"""Bringing balances from another system, over REST."""
