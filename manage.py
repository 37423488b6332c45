#!/usr/bin/env python
"""Django's command line for Loyalty Back-Office."""

import os
import sys

from django.core.management import execute_from_command_line

from loyalty.database.named_stores import every_store

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "loyalty.settings")
    os.environ["LOYALTY_PROCESS"] = "command"
    # Whoever may run commands runs the installation; requests and jobs name their own stores within it.
    with every_store():
        execute_from_command_line(sys.argv)
