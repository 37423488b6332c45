"""The languages that the product speaks: which there are, their catalogues, and what is borrowed from packages."""
