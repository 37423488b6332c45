"""Compiles the catalogues: ``python -m loyalty.languages``."""

from loyalty.languages.catalogues import compile_all

compile_all()
