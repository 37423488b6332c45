"""What happens to customers because of their orders: merged, reminded, handed out, erased."""
