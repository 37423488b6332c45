"""Carries out one measurement: sets Django up first, because the models that are measured need the settings."""

import sys

import django
from django.utils.module_loading import import_string

if __name__ == "__main__":
    django.setup()
    import_string("benchmarks.measures.main")(sys.argv[1:])
