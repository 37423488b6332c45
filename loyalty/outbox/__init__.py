"""What is to be done outside once a transaction is committed: written with it, done by the worker, until confirmed."""
