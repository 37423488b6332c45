"""What every settings page is made of: cards saved each by itself, versions, the way back (H4)."""
