"""Links into a platform's own back-office lead to the connected shop, or nowhere."""

import pytest

from loyalty.platforms.links import discount_page

TEA = "https://tea.myshopify.com"


@pytest.mark.parametrize(
    ("platform", "base_url", "reference", "address"),
    [
        ("shopify", TEA, "gid://shopify/DiscountCodeNode/42", f"{TEA}/admin/discounts/42"),
        ("shopify", f"{TEA}/", "42", f"{TEA}/admin/discounts/42"),
        (
            "woocommerce",
            "https://tea.example/shop",
            "907",
            "https://tea.example/shop/wp-admin/post.php?post=907&action=edit",
        ),
        ("woocommerce", "http://[::1]:8080", "907", "http://[::1]:8080/wp-admin/post.php?post=907&action=edit"),
        ("shopline", "", "5f2b", ""),
        ("shopline_global", "https://tea.myshopline.com", "42", ""),
        ("magento", TEA, "42", ""),
    ],
)
def test_r3_a_discount_is_shown_where_the_platform_has_a_page(
    platform: str, base_url: str, reference: str, address: str
) -> None:
    assert discount_page(platform, base_url=base_url, reference=reference) == address


@pytest.mark.parametrize(
    "base_url",
    [
        "",
        "javascript:alert(1)//",
        "javascript://tea.example/%0aalert(1)",
        "//tea.example",
        "ftp://tea.example",
        "https://user@tea.example",
        "https://tea.example?x=1",
        "https://tea.example#x",
        "https://tea.example\\@evil.example",
        "https://tea.example/\n",
        "https://[tea",
        "https://tea.example:99999",
    ],
)
def test_r3_no_other_address_becomes_a_link(base_url: str) -> None:
    assert discount_page("shopify", base_url=base_url, reference="42") == ""


@pytest.mark.parametrize("reference", ["", "42/../../x", "gid://shopify/X/", "42&x=1", "\uff14\uff12", "-42", "4" * 21])
def test_r3_nothing_but_a_number_stands_in_the_address(reference: str) -> None:
    assert discount_page("shopify", base_url=TEA, reference=reference) == ""
