"""Orders and reverts over REST: what is asked, what is shown; what happens is in :mod:`orders.services`."""
