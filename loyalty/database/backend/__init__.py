"""The connection that tells PostgreSQL which stores are named (T1)."""
