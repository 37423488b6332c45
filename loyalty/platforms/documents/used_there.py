"""What a platform's document says of credits and points that were used there, its own or its plugins' (O5). Pure.

=================  ====================================================================================================
platform           where it stands
=================  ====================================================================================================
Shopify            store credit is a way to pay: the transactions where they are listed, the whole total where nothing
                   else paid it. Else the names of the gateways say that some was used, and not how much. Gift cards are
                   no credits
SHOPLINE           ``user_credit``, ``order_points`` and what those were worth, ``order_points_to_cash``
SHOPLINE Global    ``deduct_member_point_amount``: what points were worth, and not how many
WooCommerce        the meta data of plugins, as in the tables below; TeraWallet's is a fee below zero
=================  ====================================================================================================
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from loyalty.platforms.documents.read import Fields, as_amount, json_inside, round_amount
from loyalty.platforms.documents.shopify_style import PAID_FOR, in_shop_currency
from loyalty.platforms.snapshot import UsedThere

_NOTHING: Final = Decimal(0)
_MOST_POINTS: Final = 2**31 - 1

_SHOPIFY_CREDIT: Final = frozenset({"shopify_store_credit", "store_credit"})
_TAKING: Final = frozenset({"sale", "capture"})

# One line for each plugin: of its keys the first that says something counts.
_WOO_POINTS: Final = (
    ("_wc_points_redeemed",),  # Points and Rewards for WooCommerce
    ("_ywpar_redemped_points", "_ywpar_coupon_points"),  # YITH Points and Rewards: taken, else asked for
    ("wps_cart_discount#points",),  # WP Swings Points and Rewards
)
_WOO_CREDITS: Final = (
    ("_funds_used",),  # Account Funds
    ("_order_funds",),  # YITH Account Funds
    ("smart_coupons_contribution",),  # Smart Coupons, by coupon
    ("acfw_store_credits_order_paid",),  # Advanced Coupons, as a payment
)
_WOO_COUPON_CREDITS: Final = (("acfw_store_credits_order_coupon_meta",),)  # Advanced Coupons, as a coupon
_WOO_KEYS: Final = frozenset(
    key for plugins in (_WOO_POINTS, _WOO_CREDITS, _WOO_COUPON_CREDITS) for keys in plugins for key in keys
)
# Account Funds, YITH Account Funds, TeraWallet: the order is paid from the balance alone, and its total may say so.
_WOO_GATEWAYS: Final = frozenset({"accountfunds", "yith_funds", "wallet"})
_TERA_FEE: Final = {"key": "_legacy_fee_key", "value": "_via_wallet_partial_payment"}


def takes_store_credit(transaction: Fields) -> bool:
    """Whether a transaction at Shopify took store credit. One that only reserves it is followed by one that takes."""
    kind, status = transaction.text("kind").lower(), transaction.text("status").lower()
    return kind in _TAKING and status == "success" and _is_store_credit(transaction.text("gateway"))


def used_at_shopify(order: Fields, currency: str, total: Decimal, payment: str) -> UsedThere:
    """What a Shopify order says. Its total counts store credit as it counts any other payment."""
    taken = [one for one in order.children("transactions") if takes_store_credit(one)]
    if amount := sum((in_shop_currency(order, one, currency) for one in taken), start=_NOTHING):
        return UsedThere(credits=amount)
    names = [name for name in order.items("payment_gateway_names") if isinstance(name, str)]
    credit = [name for name in names if _is_store_credit(name)]
    if credit and credit == names and payment in PAID_FOR:
        return UsedThere(credits=total)
    return UsedThere(credits=None, some_credits=bool(credit))


def used_at_shopline(order: Fields, credits: Decimal | None, points_worth: Decimal | None) -> UsedThere:
    """What an order of SHOPLINE in Asia says. Its total is what was left to pay."""
    points = order.whole("order_points")
    used, worth = abs(credits or _NOTHING), abs(points_worth or _NOTHING)
    return UsedThere(
        credits=None if "user_credit" in order.left_out else used,
        points=None if "order_points" in order.left_out else points,
        points_worth=worth,
        outside_total=used + worth,
    )


def used_at_shopline_global(order: Fields, currency: str) -> UsedThere:
    """What an order of SHOPLINE Global says."""
    return UsedThere(points_worth=abs(order.amount("deduct_member_point_amount", currency) or _NOTHING))


def used_at_woocommerce(order: Fields, currency: str, total: Decimal, *, paid: bool) -> UsedThere:
    """What the plugins of a WooCommerce shop left on an order. Its total is what was left to pay.

    The exception is an order that was paid from the balance alone: some plugins leave its total as it is.
    """
    meta = _meta_of(order)
    used = [_said(meta, keys, currency) for keys in _WOO_CREDITS]
    for coupon in order.children("coupon_lines"):
        of_coupon = _meta_of(coupon)
        used += [_said(of_coupon, keys, currency) for keys in _WOO_COUPON_CREDITS]
    used += [_fee(fee, currency) for fee in order.children("fee_lines") if _is_from_wallet(fee)]
    points = _together([_said(meta, keys, "", most=_MOST_POINTS) for keys in _WOO_POINTS])
    credits = _together(used)
    outside = credits or _NOTHING
    if total > 0 and order.text("payment_method").lower() in _WOO_GATEWAYS:
        credits, outside = max(credits or _NOTHING, total if paid else _NOTHING), _NOTHING
    return UsedThere(credits=credits, points=None if points is None else int(points), outside_total=outside)


def _is_store_credit(gateway: str) -> bool:
    return gateway.strip().lower().replace("-", "_").replace(" ", "_") in _SHOPIFY_CREDIT


def _meta_of(owner: Fields) -> dict[str, Fields]:
    """The plugins' entries among the meta data of an order or a line; of two with one key the first, as WordPress."""
    found: dict[str, Fields] = {}
    path = owner.path_of("meta_data")
    for index, entry in enumerate(owner.items("meta_data")):
        key = entry.get("key") if isinstance(entry, Mapping) else None
        if isinstance(entry, Mapping) and isinstance(key, str) and key in _WOO_KEYS:
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
