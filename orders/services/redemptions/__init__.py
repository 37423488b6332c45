"""Points exchanged for a code or for store credits, and that reversed (R1-R5).

Here and not in ``points``: a reward may pay out store credits, which ``points`` do not know; a code is used by an
order; and the tables have the label ``orders``, which moving a model would change (ADR 0045).
"""
