"""Orders, what they used, and how it comes back."""
