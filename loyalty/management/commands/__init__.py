"""The commands of `manage.py` about stores, keys, connections, jobs and the proof."""
