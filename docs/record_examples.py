"""Records the examples of the REST API's description anew: `.venv/bin/python -m docs.record_examples`.

It lives through `tests/docs/api_story.py` on servers of its own and keeps what was asked and answered. A test fails
when the API answers otherwise than its examples say; look at what this changes before you commit it.
"""

import json
import os
from importlib import import_module
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction

from loyalty.api.openapi.examples import KEPT
from loyalty.embedded.layout import OWNER_ROLE
from loyalty.embedded.supervisor import throw_away_servers


def main() -> None:
    """Record, and say where to."""
    os.environ |= {"LOYALTY_ENV": "test", "DJANGO_SETTINGS_MODULE": "loyalty.settings"}
    with throw_away_servers(postgres=True, valkey=True) as layout:
        os.environ["DATABASE_URL"] = layout.database_url(role=OWNER_ROLE)
        os.environ["REDIS_URL"] = layout.redis_url()
        print(f"Recorded in {record()}.")


def record() -> Path:
    """Make the tables, tell the story on them and keep its examples."""
    django.setup()
    settings.ALLOWED_HOSTS = ["testserver"]
    call_command("migrate", verbosity=0)
    # Its models can be imported only now.
    story = import_module("tests.docs.api_story")
    with transaction.atomic():
        examples = story.tell_story()
    connection.close()
    KEPT.write_text(json.dumps(examples.to_json(), indent=1, ensure_ascii=False) + "\n")
    return KEPT


if __name__ == "__main__":
    main()
