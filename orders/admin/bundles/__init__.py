"""The page on which an owner takes everything of the store away."""
