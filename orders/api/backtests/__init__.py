"""Trying settings on the past, over REST."""
