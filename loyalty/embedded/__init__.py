"""PostgreSQL and Valkey without an installation: the binaries come as Python packages, the supervision is here.

Nothing in this package is used when DATABASE_URL and REDIS_URL name servers of their own.
"""
