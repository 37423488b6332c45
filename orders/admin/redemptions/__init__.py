"""The pages of redemptions and rewards (R1-R7)."""
