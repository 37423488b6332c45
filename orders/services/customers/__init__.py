"""What happens to customers beside their orders: merged, reminded, handed out, erased."""
