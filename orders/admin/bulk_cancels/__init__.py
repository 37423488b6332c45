"""Cancelling many orders at once: the page before, while and after (B1)."""
