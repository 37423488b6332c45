"""What the proof of the books demands of orders and redemptions (H5)."""
