"""A real mail server on loopback: what it was handed, and the ways in which it says no."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from threading import Thread
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope


@dataclass
class MailServer:
    """What it answers instead of taking a mail; at the one whose Message-ID is ``ends_at`` it ends the connection."""

    port: int = 0
    senders: list[str] = field(default_factory=list)
    got: list[EmailMessage] = field(default_factory=list)
    refused_recipients: dict[str, str] = field(default_factory=dict)
    refused_sender: str = ""
    refused_mail: str = ""
    ends_at: str = ""

    async def handle_MAIL(self, _server: Any, _session: Any, envelope: Envelope, address: str, _options: Any) -> str:  # noqa: N802 - the library's names
        envelope.mail_from = address
        return self.refused_sender or "250 OK"

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Envelope, address: str, _options: Any) -> str:  # noqa: N802
        if address in self.refused_recipients:
            return self.refused_recipients[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802
        if self.ends_at and self.ends_at.encode() in bytes(envelope.original_content or b""):
            server.transport.close()
        if self.refused_mail:
            return self.refused_mail
        self.senders.append(str(envelope.mail_from))
        message = message_from_bytes(bytes(envelope.original_content or b""), policy=default)
        assert isinstance(message, EmailMessage)
        self.got.append(message)
        return "250 taken"


@contextmanager
def mail_server(**how: Any) -> Iterator[MailServer]:
    """A mail server while the block runs; ``how`` goes to the library."""
    server, loop = MailServer(), asyncio.new_event_loop()
    listening = loop.run_until_complete(loop.create_server(lambda: SMTP(server, loop=loop, **how), "127.0.0.1", 0))
    server.port = listening.sockets[0].getsockname()[1]
    thread = Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        listening.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
            with suppress(asyncio.CancelledError):
                loop.run_until_complete(task)
        loop.close()
