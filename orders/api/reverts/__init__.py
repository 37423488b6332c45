"""Cancelling, returning, undoing, reinstating, dismissing over REST."""
