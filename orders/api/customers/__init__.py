"""What REST does with customers of orders."""
