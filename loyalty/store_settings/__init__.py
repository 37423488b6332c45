"""A store's settings: their sections and defaults, their versions, saving them (H4)."""
