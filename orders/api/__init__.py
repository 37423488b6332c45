"""Orders, returns and redemptions over REST: what is asked, what is shown."""
