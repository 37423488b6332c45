"""Member points: the ledger with whole numbers, how long they live, and giving them by a table.

They know neither orders nor store credits. What points are exchanged for is not here: a reward may pay out store
credits, and a code is used by an order, so both are above the two ledgers, in ``orders/services/redemptions`` and
``orders/services/codes``; points that orders earn are in ``orders/services/earned_points`` (ADR 0045).
"""
