"""Orders over REST: lists, creating, changing."""
