"""How an installation is run, and how a version of the product is released."""
