"""Carries out one measurement: sets Django up first, because the models that are measured need the settings.

Says that it is ready, and begins when it is told to: those that are to run at once do not measure one another's start.
"""

import sys

import django
from django.utils.module_loading import import_string

if __name__ == "__main__":
    django.setup()
    main = import_string("benchmarks.measures.main")
    print(flush=True)
    sys.stdin.readline()
    main(sys.argv[1:])
