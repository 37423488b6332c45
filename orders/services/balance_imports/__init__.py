"""Bringing people, balances and history from another system: read, rehearsed, carried out, taken back."""
