"""Cancelling, returning, undoing, reinstating and dismissing, over REST."""
