"""What settings would have done to past orders; writes nothing."""
