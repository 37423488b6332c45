"""What every settings page is made of: cards that are saved each by itself, versions, the way back (H4)."""
