"""What the plugins of a WooCommerce shop left on an order: credits and points that were used there (O5). Pure.

They write it into the order's meta data, as in the tables below; TeraWallet's is a fee below zero.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from loyalty.platforms.documents.read import Fields, as_amount, json_inside, round_amount
from loyalty.platforms.snapshot import UsedThere

_NOTHING: Final = Decimal(0)
_MOST_POINTS: Final = 2**31 - 1

# One line for each plugin: of its keys the first that says something counts.
_POINTS: Final = (
    ("_wc_points_redeemed",),  # Points and Rewards for WooCommerce
    ("_ywpar_redemped_points", "_ywpar_coupon_points"),  # YITH Points and Rewards: taken, else asked for
    ("wps_cart_discount#points",),  # WP Swings Points and Rewards
)
_CREDITS: Final = (
    ("_funds_used",),  # Account Funds
    ("_order_funds",),  # YITH Account Funds
    ("smart_coupons_contribution",),  # Smart Coupons, by coupon
    ("acfw_store_credits_order_paid",),  # Advanced Coupons, as a payment
)
_COUPON_CREDITS: Final = (("acfw_store_credits_order_coupon_meta",),)  # Advanced Coupons, as a coupon
_KEYS: Final = frozenset(key for plugins in (_POINTS, _CREDITS, _COUPON_CREDITS) for keys in plugins for key in keys)
# Account Funds, YITH Account Funds, TeraWallet: the order is paid from the balance alone, and its total may say so.
_GATEWAYS: Final = frozenset({"accountfunds", "yith_funds", "wallet"})
_TERA_FEE: Final = {"key": "_legacy_fee_key", "value": "_via_wallet_partial_payment"}


def used_there(order: Fields, currency: str, total: Decimal, *, paid: bool) -> UsedThere:
    """What the plugins of a WooCommerce shop left on an order. Its total is what was left to pay.

    The exception is an order that was paid from the balance alone: some plugins leave its total as it is.
    """
    meta = _meta_of(order)
    used = [_said(meta, keys, currency) for keys in _CREDITS]
    for coupon in order.children("coupon_lines"):
        of_coupon = _meta_of(coupon)
        used += [_said(of_coupon, keys, currency) for keys in _COUPON_CREDITS]
    used += [_fee(fee, currency) for fee in order.children("fee_lines") if _is_from_wallet(fee)]
    points = _together([_said(meta, keys, "", most=_MOST_POINTS) for keys in _POINTS])
    credits = _together(used)
    outside = credits or _NOTHING
    if total > 0 and order.text("payment_method").lower() in _GATEWAYS:
        credits, outside = max(credits or _NOTHING, total if paid else _NOTHING), _NOTHING
    return UsedThere(credits=credits, points=None if points is None else int(points), outside_total=outside)


def _meta_of(owner: Fields) -> dict[str, Fields]:
    """The plugins' entries among the meta data of an order or a line; of two with one key the first, as WordPress."""
    found: dict[str, Fields] = {}
    path = owner.path_of("meta_data")
    for index, entry in enumerate(owner.items("meta_data")):
        key = entry.get("key") if isinstance(entry, Mapping) else None
        if isinstance(entry, Mapping) and isinstance(key, str) and key in _KEYS:
            found.setdefault(key, Fields(entry, f"{path}.{index}", owner.left_out))
    return found


def _said(meta: Mapping[str, Fields], keys: Sequence[str], currency: str, *, most: int = 0) -> Decimal | None:
    """What a plugin says, 0 where it says nothing; None, and left out, where that cannot be read."""
    amounts = [_amount(meta[key], currency, most) for key in keys if key in meta]
    return next((amount for amount in amounts if amount), None if None in amounts else _NOTHING)


def _amount(entry: Fields, currency: str, most: int) -> Decimal | None:
    """The amount in an entry: itself, the one that an object calls so, or the sum of what stands there by coupon.

    With ``most`` it has to be a whole number up to that.
    """
    value = entry.values.get("value")
    value = json_inside(value) if isinstance(value, str) else value
    if isinstance(value, Mapping):
        value = value.get("amount", list(value.values()))
    parts = [as_amount(part) for part in (value if isinstance(value, list) else [value])]
    if value in (None, "", False):
        return _NOTHING
    amount = sum((part for part in parts if part is not None), start=_NOTHING)
    garbled = any(part is None or part < 0 for part in parts)
    if garbled or (most and (amount != int(amount) or amount > most)):
        entry.leave_out("value")
        return None
    return round_amount(amount, currency)


def _is_from_wallet(fee: Fields) -> bool:
    marked = (meta.values.items() >= _TERA_FEE.items() for meta in fee.children("meta_data"))
    return fee.text("name").lower() == "via wallet" or any(marked)


def _fee(fee: Fields, currency: str) -> Decimal | None:
    amount = fee.amount("total", currency)
    return None if amount is None else abs(amount)


def _together(amounts: Sequence[Decimal | None]) -> Decimal | None:
    """The sum of what can be read; None where there is nothing but what cannot."""
    total = sum((amount for amount in amounts if amount is not None), start=_NOTHING)
    return None if not total and None in amounts else total
