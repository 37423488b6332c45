"""What platforms say of a payment that is still open, beyond the six statuses of O1 (E10). Pure: fields in, words out.

============================================  ===================================================================
word                                          when
============================================  ===================================================================
``authorized``, ``partially_paid``,           the platform says just that
``voided``
``on_delivery``                               due on delivery (by the name of the payment), and the goods are on
                                              their way
``at_bank``                                   somebody has paid, and the money has not arrived: WooCommerce's
                                              *on-hold*, SHOPLINE Global's *pending* (it says *unpaid* else)
""                                            nothing of it: a payment that can run out (E1)
============================================  ===================================================================

A transfer that nobody has made yet is no money on its way: Shopify's *pending* with a manual payment runs out.
"""

import re
import unicodedata
from typing import Final

# What shops call it, in the languages of the platforms' markets; compared without case, blanks and signs.
_ON_DELIVERY: Final = (
    "cashondelivery", "payondelivery", "paymentondelivery", "collectondelivery", "payupondelivery", "dueondelivery",
    "nachnahme", "contrassegno", "contreremboursement", "paiementàlalivraison", "contrareembolso", "contraentrega",
    "pagoalrecibir", "pagamentonaentrega", "onderrembours", "pobranie", "dobírka", "utánvét", "ramburs",
    "kapidaödeme", "наложенныйплатеж", "代金引換", "代引", "货到付款", "貨到付款", "取貨付款", "取货付款", "착불",
)  # fmt: skip
_COD: Final = re.compile(r"(?<![^\W_])cod(?![^\W_])")
_SIGNS: Final = re.compile(r"[\W_]+")

# What platforms call goods that have left the shop.
ON_ITS_WAY: Final = frozenset(
    {"fulfilled", "partial", "partially_fulfilled", "shipped", "partially_shipped", "shipping", "delivered", "arrived",
     "collected"}
)  # fmt: skip


def is_on_delivery(*names: str) -> bool:
    """Whether one of these names of a payment means that the customer pays when the goods arrive."""
    folded = [unicodedata.normalize("NFKC", name).casefold().replace("\u0131", "i") for name in names]
    return any(_COD.search(name) or any(word in _SIGNS.sub("", name) for word in _ON_DELIVERY) for name in folded)


def is_being_refunded(word: str) -> bool:
    """Whether a word for a payment, of a platform or a plugin, says that a refund is asked for or under way.

    ``pending_refund``, ``refunding``, ``refund-requested``: somebody has paid, and nothing has gone back yet.
    """
    return "refund" in word and "refunded" not in word
