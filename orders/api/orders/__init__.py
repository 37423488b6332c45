"""The order list, creating and changing orders, and their timeline, over REST."""
