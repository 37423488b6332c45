"""Mails of accounts: written with what causes them, sent by the worker, which makes their links (T6)."""

import logging
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.db import transaction
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import get_language, gettext_noop, override
from django.utils.translation import gettext as _

from loyalty.accounts.invitations.links import make_link, open_invitations
from loyalty.accounts.models import Letter, LetterKind
from loyalty.core.locales import language_for
from loyalty.jobs.one_by_one import alone_with, one_by_one
from loyalty.jobs.periodic import Counts, wake
from loyalty.jobs.retries import LETTERS, REFUSED_MAIL, Pauses, next_due, put_all_off, put_off, words_of
from loyalty.jobs.turns import Turns
from loyalty.jobs.waiting import Waiting
from loyalty.languages.spoken import SOURCE
from loyalty.partners.breaker import NoAnswer
from loyalty.partners.mail import Mail, MailRefused, ServerAway, send
from loyalty.store_settings.letterhead import LetterheadSettings
from loyalty.store_settings.logo import enclosed_in
from loyalty.store_settings.sections import current_settings
from loyalty.stores.dates import show_moment
from loyalty.stores.models import Store, User
from loyalty.stores.roles import Can

logger = logging.getLogger(__name__)

JOB: Final = "loyalty.deliver_letters"
_TURNS: Final = Turns(JOB)


@dataclass(frozen=True, slots=True)
class Words:
    """What is read: sentences, one button with its link, and sentences below it."""

    subject: str
    before: tuple[str, ...]
    link: str = ""
    button: str = ""
    after: tuple[str, ...] = ()


def base_of(request: HttpRequest) -> str:
    """Where the product is reached, as this request reached it: links in letters begin with it."""
    return request.build_absolute_uri("/").rstrip("/")


def write(letter: Letter) -> None:
    """Put a letter in the queue, in the transaction of what it tells."""
    if not letter.language:
        letter.language = language_for(letter.store.locale) if letter.store else get_language() or SOURCE
    letter.save(force_insert=True)
    wake(JOB)


def write_reset(email: str, *, base: str, now: datetime) -> None:
    """Have a link to choose a password sent to an address, if an account has it."""
    write(Letter(kind=LetterKind.RESET, email=email, base=base, created_at=now, next_attempt_at=now))


def write_trial(*, store: Store, email: str, subject: str, text: str, html: str, language: str, now: datetime) -> None:
    """Have a letter to customers sent to one of the staff, as customers would get it."""
    write(
        Letter(
            kind=LetterKind.TRIAL,
            store=store,
            email=email,
            subject=subject[:200],
            text=text,
            html=html,
            language=language,
            created_at=now,
            next_attempt_at=now,
        )
    )


def deliver_letters(now: datetime) -> Counts:
    """Send every letter whose turn has come."""
    counts = {"sent": 0, "nobody": 0, "postponed": 0, "dropped": 0}
    for outcome in one_by_one(partial(_deliver_next, now), job=JOB):
        counts[outcome] += 1
    return counts


@transaction.atomic
def _deliver_next(now: datetime, left_out: AbstractSet[int]) -> str | None:
    """Send one letter and forget it; its row stays locked meanwhile, so that no second worker sends it too."""
    with _TURNS.turn(lambda: _stores_due(now), partial(_claim, now, left_out)) as letter:
        if letter is None:
            return None
        with alone_with(letter):
            outcome = _deliver(letter, now)
        if isinstance(outcome, NoAnswer):
            # Nobody's mail can be sent: all that are due wait, and none of them has failed.
            put_all_off(Letter.objects.all(), outcome, job=JOB, now=now)
            return "postponed"
        return outcome


def _stores_due(now: datetime) -> list[int | None]:
    # The table holds what waits and nothing else.
    due = Letter.objects.filter(next_attempt_at__lte=now).order_by()
    return list(due.values_list("store_id", flat=True).distinct())


def _claim(now: datetime, left_out: AbstractSet[int], store_id: int | None) -> Letter | None:
    return next_due(Letter.objects.filter(store=store_id), now, left_out)


def _deliver(letter: Letter, now: datetime) -> str | NoAnswer:
    with override(letter.language or SOURCE):
        words = _composed(letter, now)
        mail = _mail_to_try(letter) if letter.kind == LetterKind.TRIAL else _mail(letter, words) if words else None
    if mail is None:
        letter.delete()
        return "nobody"
    try:
        send(mail)
    except NoAnswer as error:
        logger.warning("Letter %s was not sent: no mail can be sent.", letter.pk)
        if isinstance(error, ServerAway) and error.at_a_mail:
            # It may be this mail that the server cannot bear: it has its own turn, so that it does not stay the first.
            _postpone(letter, str(error), LETTERS, now)
        return error
    except MailRefused as error:
        return _postpone(letter, str(error), REFUSED_MAIL if error.for_good else LETTERS, now)
    except Exception as error:
        # Whatever no library can write down is this letter's alone.
        logger.warning("Letter %s was not sent.", letter.pk, exc_info=None if isinstance(error, ValueError) else error)
        return _postpone(letter, words_of(error), LETTERS, now)
    letter.delete()
    return "sent"


def _postpone(letter: Letter, why: str, pauses: Pauses, now: datetime) -> str:
    letter.attempts += 1
    if not put_off(letter, why[:200], pauses, now):
        letter.delete()
        return "dropped"
    letter.save(update_fields=["attempts", "next_attempt_at", "last_error"])
    return "postponed"


def _composed(letter: Letter, now: datetime) -> Words | None:
    """What the letter says; None when there is nobody, or nothing any more, to write about."""
    if letter.kind == LetterKind.RESET:
        user = User.objects.filter(email=letter.email, is_active=True).first()
        return _reset(user, letter.base) if user else None
    if letter.kind == LetterKind.INVITATION:
        return _invitation(letter, now)
    return Words(letter.subject, tuple(letter.text.split("\n")))


def _invitation(letter: Letter, now: datetime) -> Words | None:
    store = letter.store
    invitation = open_invitations(store, now=now).filter(pk=letter.invitation_id or 0).first() if store else None
    if store is None or invitation is None:
        return None
    return Words(
        _("Work with us at %(store)s") % {"store": store.name},
        (
            _("Hello, %(store)s invites you to work in its back-office. Your role: %(role)s.")
            % {"store": store.name, "role": invitation.get_role_display()},
        ),
        f"{letter.base}{make_link(invitation)}",
        _("Look at the invitation"),
        (
            _("The link works once, until %(moment)s.") % {"moment": show_moment(invitation.expires_at, store)},
            _("If you do not know this shop, you need not do anything."),
        ),
    )


def _reset(user: User, base: str) -> Words:
    token = default_token_generator.make_token(user)
    path = reverse("account_reset_password_from_key", args=[user_pk_to_url_str(user), token])
    return Words(
        _("Choose a new password"),
        (
            _("Hello %(user)s, somebody asked for a link to get into your account of the Loyalty Back-Office.")
            % {"user": user},
        ),
        f"{base}{path}",
        _("Choose a new password"),
        (
            _("The link works once, and for one hour. It also proves that this address is yours."),
            _("If you did not ask for it, you need not do anything: your password stays as it is."),
        ),
    )


def _mail(letter: Letter, words: Words) -> Mail:
    return Mail(
        to=letter.email,
        subject=" ".join(words.subject.split())[:200],
        text=render_to_string("loyalty/mail.txt", {"mail": words}),
        html=render_to_string("loyalty/mail.html", {"mail": words}),
        headers={"Content-Language": letter.language or SOURCE},
        message_id=_message_id(letter),
    )


def _mail_to_try(letter: Letter) -> Mail:
    letterhead = current_settings(letter.store).letterhead if letter.store else LetterheadSettings()
    return Mail(
        to=letter.email,
        subject=" ".join(letter.subject.split()),
        text=letter.text,
        html=letter.html,
        headers={"Content-Language": letter.language},
        message_id=_message_id(letter),
        from_name=letterhead.sender or (letter.store.name if letter.store else ""),
        reply_to=letterhead.reply_to,
        enclosed=enclosed_in(letter.html, letter.store),
    )


def _message_id(letter: Letter) -> str:
    return f"<letter.{letter.pk}.{int(letter.created_at.timestamp())}@loyalty-back-office>"


WAITING: Final = Waiting(
    key="letter",
    label=gettext_noop("Invitation"),
    rows=lambda store: Letter.objects.filter(store=store, kind=LetterKind.INVITATION).exclude(last_error=""),
    about="email",
    job=JOB,
    needs=Can.MANAGE_STAFF,
    sees=Can.MANAGE_STAFF,
)
