"""What every request to the REST API passes: who asks, what they may, what they said."""
