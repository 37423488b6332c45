"""Pages about what jobs will do to orders: what is coming up, and holding it back."""
