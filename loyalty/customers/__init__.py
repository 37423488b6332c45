"""Who a store's customers are: found by what others call them, made, merged, searched (O7)."""
