"""Brings the catalogues of all languages to the messages of the source."""

from typing import Any

from loyalty.languages.catalogues import compile_all, read_catalogue, refresh, source_messages
from loyalty.languages.faults import faults_of
from loyalty.languages.spoken import TRANSLATIONS
from loyalty.management.commanding import OneLineCommand


class Command(OneLineCommand):
    """messages."""

    help = (
        "Write every message of the source into the catalogues in locale/, compile them, and list what is missing or "
        "does not fit its source. Needs no server."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Refresh, compile, list."""
        source = source_messages()
        for language in TRANSLATIONS:
            refresh(language, source)
        compile_all()
        for language in TRANSLATIONS:
            for fault in faults_of(read_catalogue(language), source):
                self.stdout.write(f"{language}: {fault}")
