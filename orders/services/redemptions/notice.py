"""What the customer is told after a reversal (R3, H3)."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from loyalty.core.days import last_day_of_use
from loyalty.core.phrases import sentences
from loyalty.ledger.planner import GIVES_BACK, Outcome
from loyalty.notices.letter import Content, Part, write_letter
from loyalty.notices.voice import Voice
from loyalty.notices.write import Letter, Message, in_language_of
from orders.kinds import title_in
from orders.services.redemptions.plans import ReversalPlan
from orders.services.reverts.notice import expired_words, returned_words


def compose_reversal(plan: ReversalPlan, *, voice: Voice) -> Message:
    """The message: what was reversed, which points return until when, which do not and why."""
    redemption = plan.redemption
    lots = [(lot, last_day_of_use(lot.expires_at, voice.store.tz)) for lot in plan.points.lots]
    back = [lot.amount for lot, _day in lots if lot.outcome in GIVES_BACK]
    lines = (
        *(returned_words(lot.amount, "", day, voice) for lot, day in lots if lot.outcome in GIVES_BACK),
        *(expired_words(lot.amount, "", day, voice) for lot, day in lots if lot.outcome is Outcome.EXPIRED),
        *_kept(plan, voice),
    )
    content = tell_of_reversal(
        redemption.reward_name,
        _opening(plan, voice),
        lines,
        voice=voice,
        customer=redemption.customer.name,
        back=voice.show(sum(back), ""),
    )
    return write_letter(content, voice)


def tell_of_reversal(
    reward: str, opening: str, lines: Sequence[str], *, voice: Voice, customer: str, back: str
) -> Content:
    """What a customer of this name reads about a reward that he redeemed; ``back`` are the points that came back."""
    return Content(
        "reversed",
        _("%(store)s: “%(reward)s” was reversed") % {"store": voice.store.name, "reward": reward},
        opening,
        customer,
        [Part(title_in(voice, "points"), lines)],
        facts={"reward": reward, "amount": back},
    )


def reversal_letter(plan: ReversalPlan, *, voice: Voice) -> Letter:
    """The message addressed to the customer."""
    customer = plan.redemption.customer
    with in_language_of(customer, voice.store):
        return Letter(compose_reversal(plan, voice=voice), customer, None)


def opening_words(reward: str, voice: Voice) -> str:
    """What the message is about, in its first sentence."""
    words = _("“%(reward)s”, which you redeemed at %(store)s, was reversed.")
    return words % {"reward": reward, "store": voice.store.name}


def _opening(plan: ReversalPlan, voice: Voice) -> str:
    redemption = plan.redemption
    told = [opening_words(redemption.reward_name, voice)]
    if redemption.code:
        told.append(_("The code %(code)s can no longer be used.") % {"code": redemption.code})
    if plan.takes:
        facts = {"amount": voice.show(plan.taken, redemption.currency), "kind": voice.words.name_of("credits")}
        words = _("%(amount)s of store credits were taken back for it.")
        if facts["kind"]:
            words = _("%(amount)s of %(kind)s were taken back for it.")
        told.append(words % facts)
    return sentences(told)


def _kept(plan: ReversalPlan, voice: Voice) -> list[str]:
    """The points that stay spent because the credits they were exchanged for were used (R4)."""
    stays = plan.redemption.points - plan.share
    words = _("Not returned: %(amount)s, for the credits that were used")
    return [words % {"amount": voice.show(stays, "")}] if stays else []
