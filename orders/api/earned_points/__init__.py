"""Points that orders earn, over REST (C1)."""
