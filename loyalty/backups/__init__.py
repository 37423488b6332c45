"""Backups of a whole installation: taken while it works, put back whole or not at all, proved.

A backup is a folder: what ``pg_dump`` wrote, and a manifest that is written last. It holds no key: neither SECRET_KEY
nor CREDENTIALS_KEYS, without which the stored secrets in it cannot be read (docs/backups.md).
"""
