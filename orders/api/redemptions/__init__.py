"""Rewards, redemptions and codes, over REST (R1-R5)."""
