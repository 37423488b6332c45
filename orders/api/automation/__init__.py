"""Holding orders back from jobs, over REST."""
