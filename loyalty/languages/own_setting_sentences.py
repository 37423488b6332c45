"""What settings say that names credits or points, as :mod:`loyalty.languages.own_sentences` has it.

The first form reads as each language wants it; the second is written so that any name fits (ADR 0061).
"""

from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext_noop

OF_SETTINGS: Final[Mapping[str, str]] = {
    gettext_noop("%(rate)s points"): gettext_noop("%(rate)s %(points)s"),
    gettext_noop(
        "A cancel made here, by hand or automatically, is repeated there. The platform is asked to refund nothing, "
        "to return no credits or points unless you say so below, and not to write to the customer. Off: an order "
        "that is cancelled here stays open there until somebody cancels it there."
    ): gettext_noop(
        "A cancel made here, by hand or automatically, is repeated there. The platform is asked to refund nothing, "
        "to return no %(credits)s or %(points)s unless you say so below, and not to write to the customer. Off: an "
        "order that is cancelled here stays open there until somebody cancels it there."
    ),
    gettext_noop(
        "A part of the payment was given back. The same share of credits and points returns, and more with every "
        "further refund."
    ): gettext_noop(
        "A part of the payment was given back. The same share of %(credits)s and %(points)s returns, and more with "
        "every further refund."
    ),
    gettext_noop(
        "A part of the payment was given back. The same share of the points is taken, and more with every refund."
    ): gettext_noop(
        "A part of the payment was given back. The same share of the %(points)s is taken, and more with every refund."
    ),
    gettext_noop(
        "A tag takes back by itself, whatever the status; when it is taken off the order, the points are given "
        "again. Capital letters make no difference; spaces and hyphens do."
    ): gettext_noop(
        "A tag takes back by itself, whatever the status; when it is taken off the order, the %(points)s are given "
        "again. Capital letters make no difference; spaces and hyphens do."
    ),
    gettext_noop("All points of one year expire together, at the end of that day."): gettext_noop(
        "All %(points)s of one year expire together, at the end of that day."
    ),
    gettext_noop(
        "As many points as were given then, whatever is given for such an order today. An order that comes back "
        "earns them again. Switched off, the rules stay as they are, and so does what was taken."
    ): gettext_noop(
        "As many %(points)s as were given then, whatever is given for such an order today. An order that comes back "
        "earns them again. Switched off, the rules stay as they are, and so does what was taken."
    ),
    gettext_noop("Auto cancel order and return credits & points with original expiry date"): gettext_noop(
        "Auto cancel order and return %(credits)s & %(points)s with original expiry date"
    ),
    gettext_noop("Credits or points expire soon"): gettext_noop("%(credits)s or %(points)s expire soon"),
    gettext_noop("Credits or points were given or removed by hand"): gettext_noop(
        "%(credits)s or %(points)s were given or removed by hand"
    ),
    gettext_noop("Days before credits or points expire"): gettext_noop("Days before %(credits)s or %(points)s expire"),
    gettext_noop("Earned points are not taken back any more. What was taken stays taken."): gettext_noop(
        "Earned %(points)s are not taken back any more. What was taken stays taken."
    ),
    gettext_noop("Earned points are taken back"): gettext_noop("Earned %(points)s are taken back"),
    gettext_noop("Earned points are taken back from now on, of every order that changes."): gettext_noop(
        "Earned %(points)s are taken back from now on, of every order that changes."
    ),
    gettext_noop("Earned points: tags that keep them"): gettext_noop("Earned %(points)s: tags that keep them"),
    gettext_noop("Expiry of member points"): gettext_noop("Expiry of %(points)s"),
    gettext_noop(
        "If any part of the credits has expired, no credits return. Points are judged by themselves, in the same way."
    ): gettext_noop(
        "If any part of %(credits)s has expired, none of it returns. %(points)s are judged by themselves, in the same "
        "way."
    ),
    gettext_noop("Leave empty if orders earn nothing by themselves. 0.1 means one point for every ten."): gettext_noop(
        "Leave empty if orders earn nothing by themselves. 0.1 means one for every ten."
    ),
    gettext_noop("Leave empty if support staff may not adjust member points at all."): gettext_noop(
        "Leave empty if support staff may not adjust %(points)s at all."
    ),
    gettext_noop("Leave empty if support staff may not adjust store credits at all."): gettext_noop(
        "Leave empty if support staff may not adjust %(credits)s at all."
    ),
    gettext_noop("Let the customer keep earned points"): gettext_noop("Let the customer keep earned %(points)s"),
    gettext_noop("Member points that each support person may give and remove in a day"): gettext_noop(
        "%(points)s that each support person may give and remove in a day"
    ),
    gettext_noop("Orders earn no points by themselves now."): gettext_noop(
        "Orders earn no %(points)s by themselves now."
    ),
    gettext_noop("Points expire"): gettext_noop("Expiry of %(points)s: how"),
    gettext_noop("Points expire: day of the month"): gettext_noop("%(points)s expire: day of the month"),
    gettext_noop("Points expire: month"): gettext_noop("%(points)s expire: month"),
    gettext_noop("Points expire: number of days"): gettext_noop("%(points)s expire: number of days"),
    gettext_noop("Points for each %(currency)s of the order's total"): gettext_noop(
        "%(points)s for each %(currency)s of the order's total"
    ),
    gettext_noop("Points for each unit of the order's total"): gettext_noop(
        "%(points)s for each unit of the order's total"
    ),
    gettext_noop(
        "Points given today would expire at the end of %(until)s. Points that customers have keep their expiry."
    ): gettext_noop(
        "%(points)s given today would expire at the end of %(until)s. %(points)s that customers have keep their expiry."
    ),
    gettext_noop("Points given today would never expire. Points that customers have keep their expiry."): gettext_noop(
        "%(points)s given today would never expire. %(points)s that customers have keep their expiry."
    ),
    gettext_noop("Points stay until they are used."): gettext_noop("%(points)s stay until they are used."),
    gettext_noop(
        "Points that an order earned by its purchase, and what happens to them when it is cancelled, refunded or "
        "tagged. What an order used is returned by the rules of the page Spent revert."
    ): gettext_noop(
        "%(points)s that an order earned by its purchase, and what happens to them when it is cancelled, refunded or "
        "tagged. What an order used is returned by the rules of the page Spent revert."
    ),
    gettext_noop("Return credits and points by these rules"): gettext_noop(
        "Return %(credits)s and %(points)s by these rules"
    ),
    gettext_noop(
        "Returns used credits and points by itself when an order is cancelled, refunded or tagged outside this "
        "back-office. What somebody decided by hand always wins, and nothing returns twice."
    ): gettext_noop(
        "Returns used %(credits)s and %(points)s by itself when an order is cancelled, refunded or tagged outside "
        "this back-office. What somebody decided by hand always wins, and nothing returns twice."
    ),
    gettext_noop("Statuses that take earned points back"): gettext_noop("Statuses that take earned %(points)s back"),
    gettext_noop(
        "Store credits get their expiry when they are given: a date, or none. What is said here counts for what is "
        "given from now on; no lot changes its expiry."
    ): gettext_noop(
        "For %(credits)s, the expiry is set when they are given: a date, or none. What is said here counts for what "
        "is given from now on; no lot changes its expiry."
    ),
    gettext_noop("Store credits in %(currency)s that each support person may give and remove in a day"): gettext_noop(
        "%(credits)s in %(currency)s that each support person may give and remove in a day"
    ),
    gettext_noop("Store credits that each support person may give and remove in a day"): gettext_noop(
        "%(credits)s that each support person may give and remove in a day"
    ),
    gettext_noop("Tag to put on an order on the platform when credits or points come back"): gettext_noop(
        "Tag to put on an order on the platform when %(credits)s or %(points)s come back"
    ),
    gettext_noop("Tags that take earned points back"): gettext_noop("Tags that take earned %(points)s back"),
    gettext_noop("Take earned points back"): gettext_noop("Take earned %(points)s back"),
    gettext_noop("Take earned points back by these rules"): gettext_noop("Take earned %(points)s back by these rules"),
    gettext_noop(
        "The customer gets an e-mail that says what was given or removed, until when it is valid, and what there is "
        "now. The same box stands below the table of points."
    ): gettext_noop(
        "The customer gets an e-mail that says what was given or removed, until when it is valid, and what there is "
        "now. The same box stands below the table of %(points)s."
    ),
    gettext_noop(
        "The customer gets an e-mail that the code no longer works and that the points are back."
    ): gettext_noop("The customer gets an e-mail that the code no longer works and that the %(points)s are back."),
    gettext_noop(
        "Tick “Notify the customer” beforehand when credits or points are given or removed by hand"
    ): gettext_noop(
        "Tick “Notify the customer” beforehand when %(credits)s or %(points)s are given or removed by hand"
    ),
    gettext_noop(
        "When the customer has spent them already, what is missing is settled by the points given next. Off: "
        "nobody's balance goes below zero."
    ): gettext_noop(
        "When the customer has spent them already, what is missing is settled by the %(points)s given next. Off: "
        "nobody's balance goes below zero."
    ),
    gettext_noop(
        "Without a debt: the next orders' points settle it first, and nothing else does. Off: it is dropped, and "
        "somebody who earns, spends and cancels in turn keeps points without a purchase."
    ): gettext_noop(
        "Without a debt: the next orders' %(points)s settle it first, and nothing else does. Off: it is dropped, and "
        "somebody who earns, spends and cancels in turn keeps %(points)s without a purchase."
    ),
}
