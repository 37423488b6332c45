"""How WooCommerce tags orders by itself (N1). ``docs/tagging-orders.md`` says the same."""

from typing import Final

from django.utils.translation import gettext_noop

from loyalty.platforms.shop_platform import Recipe, TaggingGuide

_FIELD: Final = "_order_tags"
_SNIPPET: Final = """\
add_action( 'woocommerce_order_status_cancelled', 'loyalty_tag_order' );
add_action( 'woocommerce_order_status_refunded', 'loyalty_tag_order' );
function loyalty_tag_order( $order_id ) {
    $order = wc_get_order( $order_id );
    $order->add_meta_data( '%(field)s', '%(tag)s' );
    $order->save();
}
"""

_NAME_IT = gettext_noop(
    "On the page “Platform connection”, name the field that holds the tags, for example _order_tags."
)

TAGGING: Final = TaggingGuide(
    gettext_noop(
        "WooCommerce has no order tags. They are read from the field that the platform connection "
        "names under “Field that holds the order's tags”: a meta field of the order, with one tag, "
        "or several between commas."
    ),
    (
        Recipe(
            gettext_noop("With the extension AutomateWoo"),
            (
                _NAME_IT,
                gettext_noop("In WordPress, open AutomateWoo and add a workflow."),
                gettext_noop("Choose the trigger “Order Cancelled”, or “Order Refunded”."),
                gettext_noop("Add an action that updates a custom field of the order: its key is the field's name."),
                gettext_noop("Its value is a tag copied from the top of this page."),
                gettext_noop("Set the workflow to active and save it."),
            ),
        ),
        Recipe(
            gettext_noop("Without an extension"),
            (
                _NAME_IT,
                gettext_noop(
                    "Have whoever looks after the shop add these lines to functions.php, or to a plugin of its own."
                ),
            ),
            code=_SNIPPET,
        ),
    ),
    example_field=_FIELD,
)
