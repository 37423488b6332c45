"""Store credits: the ledger with money and a currency.

They know neither orders nor points, only the engine that both ledgers are (``loyalty/ledger``). What orders spend and
what comes back is in ``orders/services``; so is what customers get for points, which may be store credits (ADR 0045).
"""
