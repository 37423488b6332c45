"""Sentences of ours that name credits or points, each with what it becomes where a store has a name of its own.

The first form reads as each language wants it; the second is written so that any name fits (ADR 0061).
"""

from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext_noop

from loyalty.languages.own_setting_sentences import OF_SETTINGS

SENTENCES: Final[Mapping[str, str]] = {
    **OF_SETTINGS,
    gettext_noop("%(customer)s exchanged %(points)s for store credits (%(worth)s) on %(moment)s."): gettext_noop(
        "%(customer)s exchanged %(points)s for %(credits)s (%(worth)s) on %(moment)s."
    ),
    gettext_noop(
        "%(gone)s of the credits have been spent or have expired, so only %(left)s are taken back, and %(share)s of "
        "%(points)s return."
    ): gettext_noop(
        "%(gone)s of %(credits)s have been spent or have expired, so only %(left)s are taken back, and %(share)s of "
        "%(points)s return."
    ),
    gettext_noop("A code must cost points and be worth something; a percentage is at most 100."): gettext_noop(
        "A code must cost %(points)s and be worth something; a percentage is at most 100."
    ),
    gettext_noop(
        "A limit is at least 1; without one a customer may redeem as often as there are points."
    ): gettext_noop("A limit is at least 1; without one a customer may redeem as often as there are %(points)s."),
    gettext_noop("A reward costs at least one point."): gettext_noop(
        "Say how many %(points)s the reward costs: at least 1."
    ),
    gettext_noop("A reward is what customers get for points: a discount code, or store credits."): gettext_noop(
        "A reward is what customers get for %(points)s: a discount code, or %(credits)s."
    ),
    gettext_noop("An order that is cancelled or refunded earns no points."): gettext_noop(
        "An order that is cancelled or refunded earns no %(points)s."
    ),
    gettext_noop("Came after the points had been returned"): gettext_noop(
        "Came after the %(points)s had been returned"
    ),
    gettext_noop(
        "Came with the code %(code)s after another order had used it: the order used none of its points"
    ): gettext_noop(
        "Came with the code %(code)s after another order had used it: the order used none of its %(points)s"
    ),
    gettext_noop(
        "Came with the code %(code)s after its points had been returned: the order used none of its points"
    ): gettext_noop(
        "Came with the code %(code)s after its %(points)s had been returned: the order used none of its %(points)s"
    ),
    gettext_noop("Cancel an order that used credits or points, and return them there."): gettext_noop(
        "Cancel an order that used %(credits)s or %(points)s, and return them there."
    ),
    gettext_noop(
        "Cancelled or refunded orders whose credits or points are not back, and nobody has decided about them. "
        "Oldest first."
    ): gettext_noop(
        "Cancelled or refunded orders whose %(credits)s or %(points)s are not back, and nobody has decided about "
        "them. Oldest first."
    ),
    gettext_noop("Choose a status or a tag, and credits or points, and try again."): gettext_noop(
        "Choose a status or a tag, and %(credits)s or %(points)s, and try again."
    ),
    gettext_noop("Code {code}: came after the points had been returned."): gettext_noop(
        "Code {code}: came after the %(points)s had been returned."
    ),
    gettext_noop("Codes that used no points here"): gettext_noop("Codes that used no %(points)s here"),
    gettext_noop("Credits and points need a customer who holds them."): gettext_noop(
        "%(credits)s and %(points)s need a customer who holds them."
    ),
    gettext_noop("Credits and points used"): gettext_noop("%(credits)s and %(points)s used"),
    gettext_noop("Credits in other currencies"): gettext_noop("%(credits)s in other currencies"),
    gettext_noop(
        "Discount codes that were issued here for points: the order used those points. Several: with commas."
    ): gettext_noop(
        "Discount codes that were issued here for %(points)s: the order used those %(points)s. Several: with commas."
    ),
    gettext_noop(
        "Earned nothing: %(points)s by the rule, but whoever changed the order may not give points"
    ): gettext_noop("Earned nothing: %(points)s by the rule, but whoever changed the order may not give any"),
    gettext_noop("Earned points kept"): gettext_noop("Earned %(points)s kept"),
    gettext_noop("Earned points not taken back"): gettext_noop("Earned %(points)s not taken back"),
    gettext_noop("Earned points taken back"): gettext_noop("Earned %(points)s taken back"),
    gettext_noop("Expired credits are booked off"): gettext_noop("Expired %(credits)s are booked off"),
    gettext_noop("Expired points are booked off"): gettext_noop("Expired %(points)s are booked off"),
    gettext_noop("For a gift. Left empty, credits never expire and points expire by the store's scheme."): gettext_noop(
        "For a gift. Left empty, %(credits)s never expire and %(points)s expire by the store's scheme."
    ),
    gettext_noop(
        "From the day on which it is redeemed. Left empty, the code or the credits never expire."
    ): gettext_noop("From the day on which it is redeemed. Left empty, the code or the %(credits)s never expire."),
    gettext_noop("How many times. Left empty, as often as there are points. Reversed ones do not count."): gettext_noop(
        "How many times. Left empty, as often as there are %(points)s. Reversed ones do not count."
    ),
    gettext_noop(
        "It came with {code} after its points had been returned: the customer has them and the discount as well."
    ): gettext_noop(
        "It came with {code} after its %(points)s had been returned: the customer has them and the discount as well."
    ),
    gettext_noop(
        "It came with {code}, which {order} had used before: the customer has the discount twice for the points of "
        "once."
    ): gettext_noop(
        "It came with {code}, which {order} had used before: the customer has the discount twice for the %(points)s "
        "of once."
    ),
    gettext_noop(
        "It was paid through a test gateway, so no money moved. Nothing acts on it: it is not cancelled, nothing is "
        "returned and no points are earned by themselves. You can still cancel it by hand."
    ): gettext_noop(
        "It was paid through a test gateway, so no money moved. Nothing acts on it: it is not cancelled, nothing is "
        "returned and no %(points)s are earned by themselves. You can still cancel it by hand."
    ),
    gettext_noop("Its points were used by {order}."): gettext_noop("Its %(points)s were used by {order}."),
    gettext_noop("Kind: credits or points"): gettext_noop("Kind: %(credits)s or %(points)s"),
    gettext_noop("Last day of use of the points"): gettext_noop("Last day of use of the %(points)s"),
    gettext_noop("Last day of use of the store credits"): gettext_noop("Last day of use of the %(credits)s"),
    gettext_noop("More credits than the order's total."): gettext_noop("More %(credits)s than the order's total."),
    gettext_noop(
        "Names, addresses, messages and notes are gone, here and in stored webhooks. Credits, points, orders and "
        "their sums stay, without saying whose they are."
    ): gettext_noop(
        "Names, addresses, messages and notes are gone, here and in stored webhooks. %(credits)s, %(points)s, orders "
        "and their sums stay, without saying whose they are."
    ),
    gettext_noop("Neither of the two has credits or points to spend."): gettext_noop(
        "Neither of the two has %(credits)s or %(points)s to spend."
    ),
    gettext_noop("No credits and no points are taken from anybody’s balance."): gettext_noop(
        "No %(credits)s and no %(points)s are taken from anybody’s balance."
    ),
    gettext_noop("No credits or points were used"): gettext_noop("No %(credits)s or %(points)s were used"),
    gettext_noop("No member points expired unused in the last 30 days."): gettext_noop(
        "No %(points)s expired unused in the last 30 days."
    ),
    gettext_noop(
        "No order that used credits or points was changed in these days to one of these statuses or tags, by the "
        "shop platform or through the API. Look back further, or add a status or a tag."
    ): gettext_noop(
        "No order that used %(credits)s or %(points)s was changed in these days to one of these statuses or tags, by "
        "the shop platform or through the API. Look back further, or add a status or a tag."
    ),
    gettext_noop("No store credits expired unused in the last 30 days."): gettext_noop(
        "No %(credits)s expired unused in the last 30 days."
    ),
    gettext_noop("Not enough points for: %(rewards)s."): gettext_noop("Not enough %(points)s for: %(rewards)s."),
    gettext_noop("Not enough points yet"): gettext_noop("Not enough %(points)s yet"),
    gettext_noop("Only points that are given have a last day of use."): gettext_noop(
        "Only %(points)s that are given have a last day of use."
    ),
    gettext_noop("Order %(number)s came with the code after its points had been returned"): gettext_noop(
        "Order %(number)s came with the code after its %(points)s had been returned"
    ),
    gettext_noop("Paid with its points"): gettext_noop("Paid with its %(points)s"),
    gettext_noop("Points are a whole number, with a minus to remove some."): gettext_noop(
        "Give a whole number of %(points)s, with a minus to remove some."
    ),
    gettext_noop("Points are whole numbers."): gettext_noop("Give a whole number of %(points)s."),
    gettext_noop("Points earned by this order"): gettext_noop("%(points)s earned by this order"),
    gettext_noop("Points: how many"): gettext_noop("%(points)s: how many"),
    gettext_noop("Redeem points of %(customer)s"): gettext_noop("Redeem %(points)s of %(customer)s"),
    gettext_noop("Remove points…"): gettext_noop("Remove %(points)s…"),
    gettext_noop("Return credits/points"): gettext_noop("Return %(credits)s/%(points)s"),
    gettext_noop("Say which column tells whether an amount is store credits or points."): gettext_noop(
        "Say which column tells whether an amount is %(credits)s or %(points)s."
    ),
    gettext_noop("Store credits: how much"): gettext_noop("%(credits)s: how much"),
    gettext_noop("The amount is finer than the smallest amount of its currency; points are whole."): gettext_noop(
        "The amount is finer than the smallest amount of its currency; %(points)s are whole."
    ),
    gettext_noop(
        "The code has already been used: the customer has had the discount. If you return the points, the customer "
        "keeps the discount for free."
    ): gettext_noop(
        "The code has already been used: the customer has had the discount. If you return the %(points)s, the "
        "customer keeps the discount for free."
    ),
    gettext_noop(
        "The credentials are erased and webhooks are refused from then on. Orders, credits and points stay as they are."
    ): gettext_noop(
        "The credentials are erased and webhooks are refused from then on. Orders, %(credits)s and %(points)s stay "
        "as they are."
    ),
    gettext_noop("The credits have been spent or have expired, so there is nothing to exchange back."): gettext_noop(
        "The %(credits)s have been spent or have expired, so there is nothing to exchange back."
    ),
    gettext_noop("The customer has %(points)s points by then, fewer than are to be removed."): gettext_noop(
        "The customer has only %(points)s of them by then, fewer than are to be removed."
    ),
    gettext_noop(
        "The first line names the columns: {columns}. A customer is an e-mail, an external id or, as shopify:7001, "
        "an id on a platform; points below zero are removed. At most {most} rows."
    ): gettext_noop(
        "The first line names the columns: {columns}. A customer is an e-mail, an external id or, as shopify:7001, "
        "an id on a platform; %(points)s below zero are removed. At most {most} rows."
    ),
    gettext_noop(
        "The order used none of its points. Remove points from the customer, change the order in the shop, or leave "
        "it as it is; then say that it is settled."
    ): gettext_noop(
        "The order used none of its %(points)s. Remove %(points)s from the customer, change the order in the shop, "
        "or leave it as it is; then say that it is settled."
    ),
    gettext_noop(
        "The points that this order earned stay with the customer: the tag “%(tag)s” keeps them."
    ): gettext_noop("The %(points)s that this order earned stay with the customer: the tag “%(tag)s” keeps them."),
    gettext_noop(
        "The shop platform passes on that a customer wants to be forgotten. Look first: does your shop know of this "
        "wish? Erasing takes names, addresses, messages and notes, here and in stored webhooks. Credits, points, "
        "orders and their sums stay, without saying whose they are. The law usually gives 30 days."
    ): gettext_noop(
        "The shop platform passes on that a customer wants to be forgotten. Look first: does your shop know of this "
        "wish? Erasing takes names, addresses, messages and notes, here and in stored webhooks. %(credits)s, "
        "%(points)s, orders and their sums stay, without saying whose they are. The law usually gives 30 days."
    ),
    gettext_noop(
        "The shop platform says that this shop is closed, or took the app away for good, and that what it told about "
        "its customers has to go. Look first: is your shop really gone from there? Erasing ends the connection and "
        "takes the names, addresses, messages and notes of every customer that only this platform told about. "
        "Credits, points, orders and their sums stay, without saying whose they are."
    ): gettext_noop(
        "The shop platform says that this shop is closed, or took the app away for good, and that what it told about "
        "its customers has to go. Look first: is your shop really gone from there? Erasing ends the connection and "
        "takes the names, addresses, messages and notes of every customer that only this platform told about. "
        "%(credits)s, %(points)s, orders and their sums stay, without saying whose they are."
    ),
    gettext_noop("The use of a code without its points was settled"): gettext_noop(
        "The use of a code without its %(points)s was settled"
    ),
    gettext_noop(
        "This is about %(order)s, which used none of its points: the customer has the discount once too often."
    ): gettext_noop(
        "This is about %(order)s, which used none of its %(points)s: the customer has the discount once too often."
    ),
    gettext_noop("This order is cancelled; credits and points cannot be applied to it."): gettext_noop(
        "This order is cancelled; %(credits)s and %(points)s cannot be applied to it."
    ),
    gettext_noop(
        "What customers get for points. Codes that were redeemed before a change keep their old terms."
    ): gettext_noop(
        "What customers get for %(points)s. Codes that were redeemed before a change keep their old terms."
    ),
    gettext_noop("What happens when a payment expires or fails, and when points expire."): gettext_noop(
        "What happens when a payment expires or fails, and when %(points)s expire."
    ),
    gettext_noop(
        "What is in here is yours. You get one zip file with everything in this store: customers, credits and points "
        "with their whole history, orders, returns, rewards, redemptions and codes, settings, the timeline and the "
        "messages to customers."
    ): gettext_noop(
        "What is in here is yours. You get one zip file with everything in this store: customers, %(credits)s and "
        "%(points)s with their whole history, orders, returns, rewards, redemptions and codes, settings, the "
        "timeline and the messages to customers."
    ),
    gettext_noop("What it came to in all, before credits and points."): gettext_noop(
        "What it came to in all, before %(credits)s and %(points)s."
    ),
    gettext_noop("What this customer exchanges points for is listed here."): gettext_noop(
        "What this customer exchanges %(points)s for is listed here."
    ),
    gettext_noop("Whole points."): gettext_noop("A whole number of %(points)s."),
    gettext_noop("a customer's credits or points became more or fewer"): gettext_noop(
        "a customer's %(credits)s or %(points)s became more or fewer"
    ),
    gettext_noop("member points that an order used are back with the customer"): gettext_noop(
        "%(points)s that an order used are back with the customer"
    ),
    gettext_noop("store credits that an order used are back with the customer"): gettext_noop(
        "%(credits)s that an order used are back with the customer"
    ),
    gettext_noop(
        "“%(tag)s” is a tag that takes earned points back; what marks a return must not do that."
    ): gettext_noop("“%(tag)s” is a tag that takes earned %(points)s back; what marks a return must not do that."),
}
