"""Template tags: addresses of pages of a store."""
