"""The commands of `manage.py` about orders: importing, polling, moving stores, the demonstration."""
