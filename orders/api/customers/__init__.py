"""Merging customers, over REST."""
