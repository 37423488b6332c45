"""The order list, the order page, and entering what an order is and used."""
