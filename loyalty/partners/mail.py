"""Mail: one way to make a message, one way to hand it over, and what the mail server's answers mean.

Who a mail is from is the address of ``DEFAULT_FROM_EMAIL``, with the name of whoever writes: a store, or the product.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from email.errors import MessageError
from email.headerregistry import Address, AddressHeader
from email.mime.image import MIMEImage
from email.utils import formataddr
from smtplib import SMTPDataError, SMTPException, SMTPRecipientsRefused, SMTPResponseException, SMTPSenderRefused
from typing import Any, Final

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.mail import EmailMultiAlternatives, get_connection
from django.utils.translation import gettext as _

from loyalty.partners.breaker import NoAnswer, asking
from loyalty.partners.request_limits import jobs_alone

# What a mail server says of itself and not of one mail: it is about to close (RFC 5321, 3.8).
_CLOSING: Final = 421
_FOR_GOOD: Final = 500
_LONGEST_NAME: Final = 100
# What it is called among the hosts that may not answer.
_SERVER: Final = "The mail server"
# It is everybody's, and asking it takes one place: so it is asked often, and mails go out within half a minute of its
# coming back, though one attempt hangs to its end and others wait for what comes of it.
_REST_SECONDS: Final = 8


class ServerAway(NoAnswer):
    """No mail can be sent now, whoever it is to.

    ``at_a_mail``: it happened while one mail was handed over, which may be the cause.
    """

    after = timedelta(seconds=_REST_SECONDS)

    def __init__(self, reason: str, *, at_a_mail: bool = False) -> None:
        super().__init__(reason)
        self.at_a_mail = at_a_mail


class MailRefused(Exception):
    """One mail is not taken. ``for_good``: the server says that a repeat will not help."""

    def __init__(self, reason: str, *, for_good: bool) -> None:
        super().__init__(reason)
        self.for_good = for_good


class NotAnAddress(ValueError):
    """A text that is no e-mail address; ``str(error)`` says so."""


@dataclass(frozen=True, slots=True)
class Enclosed:
    """A picture that a mail's HTML shows as ``cid:name``: it travels in the mail, so that nothing is fetched."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Mail:
    """What one person gets, twice: as text and as HTML. The ``message_id`` is the same at each attempt.

    ``from_name`` stands before the installation's address; without one its own name does. ``reply_to`` is the address
    that answers go to, if another one.
    """

    to: str
    subject: str
    text: str
    html: str
    message_id: str
    from_name: str = ""
    reply_to: str = ""
    enclosed: Enclosed | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class _Illustrated(EmailMultiAlternatives):
    """Words and what they show (RFC 2387): a file of its own it is not."""

    mixed_subtype = "related"


def parse_address(text: str) -> Address:
    """One address, with its name if it has one. Raises NotAnAddress."""
    parsed: dict[str, Any] = {"defects": []}
    try:
        AddressHeader.parse(text, parsed)
        (group,) = parsed["groups"]
        (address,) = group.addresses
    except (MessageError, ValueError, IndexError, AttributeError) as error:
        raise NotAnAddress(
            _("“%(text)s” is not an e-mail address such as shop@example.com.") % {"text": text}
        ) from error
    if parsed["defects"] or not address.username or not address.domain or group.display_name is not None:
        raise NotAnAddress(
            _("“%(text)s” is not an e-mail address such as Your shop <shop@example.com>.") % {"text": text}
        )
    return Address(_one_line(address.display_name), address.username, address.domain)


def send(mail: Mail) -> None:
    """Hand one mail to the mail server.

    Raises ServerAway when none can be handed over now, Resting when it was not even tried because that has been so of
    late, MailRefused when this one is not taken, and whatever a library says of what cannot be written down.
    """
    jobs_alone()
    message = _made(mail)
    with asking(_SERVER, longest=_REST_SECONDS):
        _hand_over(message)


def _hand_over(message: EmailMultiAlternatives) -> None:
    message.connection = connection = get_connection()
    is_open = False
    try:
        connection.open()
        is_open = True
        message.send()
    except SMTPRecipientsRefused as error:
        raise _refused(*next(iter(error.recipients.values()))) from error
    except SMTPDataError as error:
        raise _refused(error.smtp_code, error.smtp_error) from error
    except SMTPSenderRefused as error:
        raise ServerAway(
            _("The mail server refuses our sender %(sender)s: %(said)s")
            % {"sender": error.sender, "said": _said(error.smtp_error)}
        ) from error
    except (SMTPException, OSError) as error:
        # No connection, no greeting, no TLS, a password that is wrong, a connection that ended: it is nobody's mail.
        raise ServerAway(
            _("The mail server cannot be used: %(said)s") % {"said": _said(error)}, at_a_mail=is_open
        ) from error
    finally:
        # A server that does not answer our goodbye has taken the mail all the same.
        with suppress(SMTPException, OSError):
            connection.close()


def address_of_sender(*_apps: Any, **_options: Any) -> list[CheckMessage]:
    """Mail needs somebody whom it is from."""
    try:
        parse_address(settings.DEFAULT_FROM_EMAIL)
    except NotAnAddress as error:
        hint = "Set DEFAULT_FROM_EMAIL to one address, with or without a name: Your shop <shop@example.com>."
        return [Error(f"DEFAULT_FROM_EMAIL: {error}", hint=hint, id="loyalty.E002")]
    return []


def _made(mail: Mail) -> EmailMultiAlternatives:
    ours = parse_address(settings.DEFAULT_FROM_EMAIL)
    name = _one_line(mail.from_name) or ours.display_name
    message = (_Illustrated if mail.enclosed else EmailMultiAlternatives)(
        subject=mail.subject,
        body=mail.text,
        # The envelope has the bare address; the name is a header's.
        from_email=ours.addr_spec,
        to=[mail.to],
        reply_to=[mail.reply_to] if mail.reply_to else None,
        headers={"From": formataddr((name, ours.addr_spec)), "Message-ID": mail.message_id, **mail.headers},
    )
    message.attach_alternative(mail.html, "text/html")
    if mail.enclosed:
        message.attach(_part(mail.enclosed))
    return message


def _part(enclosed: Enclosed) -> MIMEImage:
    kind = enclosed.media_type.removeprefix("image/")
    part = MIMEImage(enclosed.content, kind)
    part["Content-ID"] = f"<{enclosed.name}>"
    part["Content-Disposition"] = f'inline; filename="logo.{kind}"'
    return part


def _refused(code: int, said: bytes | str) -> Exception:
    if code == _CLOSING:
        return ServerAway(_("The mail server is closing: %(said)s") % {"said": _said(said)})
    return MailRefused(
        _("The mail server does not take this mail: %(code)s %(said)s") % {"code": code, "said": _said(said)},
        for_good=code >= _FOR_GOOD,
    )


def _said(said: object) -> str:
    """What a server or a library says, as one line of text."""
    if isinstance(said, SMTPResponseException):
        return f"{said.smtp_code} {_said(said.smtp_error)}"
    if isinstance(said, bytes):
        return _one_line(said.decode(errors="replace"))
    return _one_line(str(said) or type(said).__name__)


def _one_line(text: str) -> str:
    # Names are other people's text: what is no letter, sign or space ends or bends a header.
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())[:_LONGEST_NAME]
