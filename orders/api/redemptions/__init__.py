"""Rewards and redemptions over REST (R1-R5)."""
