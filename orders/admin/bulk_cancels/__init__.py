"""The page of a bulk cancel: before, while and after (B1)."""
