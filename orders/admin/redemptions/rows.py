"""How rewards and redemptions look: the same in lists, on their pages and beside the customer."""

from datetime import datetime
from typing import Any, Final

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from loyalty.backoffice.badges import DASH, badge
from loyalty.backoffice.links import cell_link, customer_address
from loyalty.core.days import is_expired
from loyalty.core.phrases import labelled
from loyalty.languages.own_names import own_words
from loyalty.platforms.links import discount_page
from loyalty.platforms.models import PlatformConnection
from loyalty.platforms.registry import LABELS
from loyalty.stores.dates import show_last_day, show_moment
from loyalty.stores.models import Store
from orders.admin.display import moment_by, order_link, reason_words
from orders.kinds import show
from orders.models import PlatformState, Redemption, RedemptionState, Reward, RewardType
from orders.services.redemptions.reverse import can_be_reversed

_COLOURS: Final[dict[str, str]] = {
    RedemptionState.CLAIMED: "blue",
    RedemptionState.USED: "green",
    RedemptionState.RETURNED: "",
    RedemptionState.REVERSED: "",
}


def worth_words(row: Reward | Redemption, store: Store) -> str:
    """What is given: ``5.00 USD off``, ``10 % off`` or ``10.00 USD store credits``."""
    if row.type == RewardType.PERCENTAGE:
        return _("%(number)s %% off") % {"number": f"{row.value.normalize():f}"}
    amount = show(row.value, row.currency, store)
    return (
        own_words("%(amount)s store credits", amount=amount)
        if row.type == RewardType.CREDITS
        else _("%(amount)s off") % {"amount": amount}
    )


def state_badges(row: Redemption, now: datetime) -> SafeString:
    """Claimed, Used or Reversed, and beside it what the platform still has to do."""
    badges = [badge(row.get_state_display(), _COLOURS.get(row.state, ""))]
    if row.state == RedemptionState.CLAIMED and is_expired(row.expires_at, now):
        badges.append(badge(_("Expired"), "red"))
    words = platform_words(row)
    if words and row.platform_state != PlatformState.CONFIRMED:
        badges.append(badge(words, "red" if row.platform_state == PlatformState.FAILED else "orange"))
    return format_html_join(" ", "{}", ((shown,) for shown in badges))


def platform_words(row: Redemption) -> str:
    """What the platform has been told and has said; empty without a platform."""
    if not row.platform:
        return ""
    deleted = row.ended_at is not None
    words: dict[str | None, str] = {
        PlatformState.PENDING: _("Platform deletion pending") if deleted else _("Not active on the platform yet"),
        PlatformState.CONFIRMED: _("Deleted on the platform") if deleted else _("Active on the platform"),
        PlatformState.FAILED: _("Platform refused the deletion") if deleted else _("Platform refused the code"),
    }
    return words.get(row.platform_state, "")


def redemption_row(row: Redemption, store: Store, now: datetime) -> dict[str, Any]:
    """One line of the customer's tab."""
    return {
        "address": redemption_address(row),
        "reverse": reverse("admin:orders_redemption_reverse", args=[row.pk]),
        "reward": row.reward_name,
        "worth": worth_words(row, store),
        "code": row.code or DASH,
        "points": show(row.points, "", store),
        "state": state_badges(row, now),
        "when": show_moment(row.created_at, store),
        "until": show_last_day(row.expires_at, store),
        "reversible": can_be_reversed(row),
    }


def redemption_address(row: Redemption) -> str:
    """The page of a redemption."""
    return reverse("admin:orders_redemption_change", args=[row.pk])


def redemption_link(row: Redemption) -> SafeString:
    """The code, or the reward's name, as a link."""
    return cell_link(redemption_address(row), row)


def facts(row: Redemption, store: Store, names: dict[str, str], now: datetime) -> list[tuple[str, Any]]:
    """What is known about a redemption, with its labels; at most one query, for the shop's address."""
    customer = f"{customer_address(row.customer_id)}?tab=redemptions"
    known: list[tuple[str, Any]] = [
        (_("Customer"), cell_link(customer, row.customer)),
        (_("Reward"), labelled(row.reward_name, worth_words(row, store))),
        (own_words("Points"), show(row.points, "", store)),
        (
            _("Code") if row.code else own_words("Credits"),
            row.code or _("Lot #%(lot)s") % {"lot": row.credit_lot_id},
        ),
        (_("Valid until"), show_last_day(row.expires_at, store)),
        (_("State"), state_badges(row, now)),
        (
            _("Redeemed"),
            moment_by(row.created_at, names[row.actor], store),
        ),
    ]
    if row.platform:
        known.append((_("Shop platform"), _on_platform(row, store)))
    return known + _use(row, store) + _reversal(row, store, names)


def _on_platform(row: Redemption, store: Store) -> SafeString:
    label = LABELS[row.platform]
    said = format_html("{}: {}", label, platform_words(row))
    address = _discount_page(row, store)
    if not address:
        return said
    link = '{} <a class="cell-link" href="{}" target="_blank" rel="noopener noreferrer">{}</a>'
    return format_html(link, said, address, _("Open the discount in %(platform)s") % {"platform": label})


def _discount_page(row: Redemption, store: Store) -> str:
    """The shop's own page of the discount; "" when it is not there yet, or not any more."""
    is_gone = row.ended_at is not None and row.platform_state == PlatformState.CONFIRMED
    if is_gone or not row.platform_reference:
        return ""
    connections = PlatformConnection.objects.for_store(store).filter(platform=row.platform)
    base_url = connections.values_list("base_url", flat=True).first() or ""
    return discount_page(row.platform, base_url=base_url, reference=row.platform_reference)


def _use(row: Redemption, store: Store) -> list[tuple[str, Any]]:
    if row.used_at is None:
        return []
    moment = show_moment(row.used_at, store)
    if row.used_order is None:
        return [
            (_("Used"), _("%(moment)s, says the shop platform; its order has not arrived yet") % {"moment": moment})
        ]
    return [(_("Used"), format_html(_("{moment}, by {order}"), moment=moment, order=order_link(row.used_order)))]


def _reversal(row: Redemption, store: Store, names: dict[str, str]) -> list[tuple[str, Any]]:
    if row.reversed_at is None:
        return []
    remark = row.reversal_remark
    known: list[tuple[str, Any]] = [
        (
            _("Reversed"),
            moment_by(row.reversed_at, names[row.reversed_by], store),
        ),
        (
            own_words("Points returned"),
            _("%(amount)s of %(total)s")
            % {"amount": show(row.points_returned, "", store), "total": show(row.points, "", store)},
        ),
    ]
    if row.credits_taken:
        known.append((own_words("Credits taken back"), show(row.credits_taken, row.currency, store)))
    if row.forced:
        known.append((_("Forced"), _("The code had been used")))
    return [*known, (_("Reason"), reason_words(remark.reason, remark.note))] if remark else known
