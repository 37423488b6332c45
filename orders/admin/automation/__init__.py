"""Pages about what jobs will do to orders: held back, coming up."""
