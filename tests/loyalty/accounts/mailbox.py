"""Reading the mail of accounts: what the worker sent, and the links in it."""

import re
from datetime import datetime

from django.core import mail
from django.utils import timezone

from loyalty.accounts.letters import deliver_letters


def letters_to(email: str, now: datetime | None = None) -> list[str]:
    """The texts of the mails that an address has got, after the worker has run."""
    deliver_letters(now or timezone.now())
    return [str(message.body) for message in mail.outbox if message.to == [email]]


def link_in(text: str) -> str:
    """The path of the one link in a mail."""
    links: set[str] = set(re.findall(r"https?://[^/\s]+(/\S+)", text))
    [link] = links
    return link
