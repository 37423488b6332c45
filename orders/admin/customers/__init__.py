"""The customer list, the customer page, and what is done from there."""
