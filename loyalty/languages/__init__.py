"""The languages that the product speaks, and their catalogues of messages."""
