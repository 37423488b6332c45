"""The order list, the order page, and saying on a page what an order is and used."""
