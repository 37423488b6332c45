"""What is sent to customers, and how (H3)."""
