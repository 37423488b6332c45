#!/usr/bin/env python
"""Django's command line for Loyalty Back-Office."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "loyalty.settings")
    os.environ["LOYALTY_PROCESS"] = "command"
    from loyalty.management.commanding import run

    run(sys.argv)
