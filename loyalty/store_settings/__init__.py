"""A store's settings: sections and defaults, versions, saving (H4)."""
