"""Who signs in: addresses that were proved, invitations, second factors, and how often one may guess (T2, T6)."""
