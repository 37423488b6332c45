"""Accounts of people: whose they are, letting them into a store, the mails they get (T2, T6)."""
