"""What Shopify has in common with platforms that are modelled on it, such as SHOPLINE Global."""
