"""The commands of `manage.py` about orders: importing, polling, the demonstration."""
