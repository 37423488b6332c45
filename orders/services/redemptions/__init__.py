"""Points exchanged for codes or credits, and that reversed (R1-R5)."""
