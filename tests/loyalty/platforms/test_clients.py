"""The four clients against imitated platforms: what each must be able to do, however the platform words it."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import override_settings

from loyalty.platforms.client import client_for
from loyalty.platforms.http.protocol import (
    Document,
    Failed,
    NewCode,
    NotThere,
    PlatformClient,
    Refused,
    Throttled,
    Unreachable,
)
from loyalty.platforms.read import read_order
from loyalty.stores.models import Store
from tests.loyalty.platforms.samples import order
from tests.platforms_imitated.connecting import CREDENTIALS, IMITATIONS, connection_to
from tests.platforms_imitated.imitation import Imitation, serving
from tests.platforms_imitated.shopify import ImitatedShopify

NOW = datetime(2026, 1, 7, tzinfo=UTC)
SINCE = datetime(2026, 1, 6, tzinfo=UTC)
PLATFORMS = ("shopify", "woocommerce", "shopline", "shopline_global")
ADDRESS = "https://shop.example/hooks/x/ada/"
CODE = NewCode("THANKS-1", "fixed", Decimal("5.00"), "USD", NOW, NOW + timedelta(days=30), "Loyalty reward THANKS-1")


def dated(platform: str, document: Document, instant: datetime) -> dict[str, Any]:
    """The order as last changed at ``instant``, in the platform's words."""
    if platform == "woocommerce":
        return {**document, "date_modified_gmt": f"{instant:%Y-%m-%dT%H:%M:%S}"}
    return {**document, "updated_at": instant.isoformat()}


def numbered(platform: str, index: int, instant: datetime) -> dict[str, Any]:
    ident: object = f"{index:024x}" if platform == "shopline" else 5000 + index
    ident = str(ident) if platform == "shopline_global" else ident
    return dated(platform, order(platform, id=ident, admin_graphql_api_id=f"gid://shopify/Order/{ident}"), instant)


@pytest.fixture(params=PLATFORMS)
def shop(request: pytest.FixtureRequest) -> Iterator[Imitation]:
    with serving(IMITATIONS[request.param]()) as imitation:
        imitation.put(
            order(imitation.platform, **({"tags": ["vip", "換貨訂單"]} if imitation.platform == "shopline" else {}))
        )
        yield imitation


@pytest.fixture
def client(shop: Imitation) -> PlatformClient:
    return client_of(shop)


def client_of(shop: Imitation, **fields: Any) -> PlatformClient:
    return client_for(connection_to(shop, Store(slug="ada"), now=NOW, **fields))


def id_of(shop: Imitation) -> str:
    return str(order(shop.platform)["id"])


def all_pages(client: PlatformClient, since: datetime = SINCE, until: datetime = NOW) -> list[Document]:
    found: list[Document] = []
    cursor, pages = "", 0
    while True:
        page = client.orders_updated(since=since, until=until, cursor=cursor)
        found += page.orders
        cursor, pages = page.next_cursor, pages + 1
        assert pages < 200
        if not cursor:
            return found


def test_check_says_whose_credentials_these_are(client: PlatformClient) -> None:
    checked = client.check()
    assert checked.name in {"Ada's Teas", "João's Records", "小茶店", "Ming Global"}
    assert checked.missing == ()


def test_o2_an_order_is_the_same_however_it_comes(shop: Imitation, client: PlatformClient) -> None:
    (polled,) = all_pages(client)
    fetched = client.fetch_order(id_of(shop))
    assert fetched is not None
    pushed = read_order(shop.platform, shop.orders[id_of(shop)])
    # Shopify lists tags in alphabetical order.
    for document in (polled, fetched):
        read = read_order(shop.platform, document)
        assert replace(read, tags=tuple(sorted(read.tags))) == replace(pushed, tags=tuple(sorted(pushed.tags)))


def test_an_order_that_is_not_there_is_none(client: PlatformClient) -> None:
    assert client.fetch_order("424242") is None


def test_every_page_is_read_and_none_before_or_after(shop: Imitation, client: PlatformClient) -> None:
    shop.orders.clear()
    minutes = range(230)
    shop.put(*(numbered(shop.platform, index, SINCE + timedelta(minutes=index)) for index in minutes))
    shop.put(numbered(shop.platform, 900, SINCE - timedelta(hours=1)))
    shop.put(numbered(shop.platform, 901, NOW + timedelta(hours=1)))
    expected = {str(numbered(shop.platform, index, NOW)["id"]) for index in minutes}
    assert {read_order(shop.platform, document).external_id for document in all_pages(client)} == expected


def test_orders_of_one_second_fill_pages_without_end(shop: Imitation, client: PlatformClient) -> None:
    shop.orders.clear()
    at = SINCE + timedelta(hours=1)
    shop.put(*(numbered(shop.platform, index, at) for index in range(130)))
    assert len({read_order(shop.platform, document).external_id for document in all_pages(client)}) == 130


@pytest.mark.parametrize("shop", ["woocommerce", "shopline"], indirect=True)
def test_an_order_that_changes_between_two_pages_hides_no_other(shop: Imitation, client: PlatformClient) -> None:
    shop.orders.clear()
    shop.put(*(numbered(shop.platform, index, SINCE + timedelta(minutes=index)) for index in range(60)))
    first = client.orders_updated(since=SINCE, until=NOW)
    moving = numbered(shop.platform, 3, NOW + timedelta(minutes=1))
    shop.put(moving)
    found = {str(document["id"]) for document in first.orders}
    cursor = first.next_cursor
    while cursor:
        page = client.orders_updated(since=SINCE, until=NOW, cursor=cursor)
        found |= {str(document["id"]) for document in page.orders}
        cursor = page.next_cursor
    assert found | {str(moving["id"])} == {str(numbered(shop.platform, index, NOW)["id"]) for index in range(60)}


def test_webhooks_are_made_once_and_found_again(shop: Imitation, client: PlatformClient) -> None:
    made = client.ensure_webhooks(address=ADDRESS, secret="s3cret")
    assert made.created
    assert made.changed
    again = client.ensure_webhooks(address=ADDRESS, secret="s3cret")
    assert again.found == made.created
    assert not again.changed


def test_o7_an_app_that_may_not_hear_of_merges_hears_of_everything_else() -> None:
    scopes = ("write_orders", "read_customers", "write_discounts", "read_payment_terms")
    with serving(ImitatedShopify(scopes=scopes)) as shopify:
        client = client_of(shopify)
        made = client.ensure_webhooks(address=ADDRESS, secret="s3cret")
        assert "ORDERS_UPDATED" in made.created
        assert "CUSTOMERS_MERGE" not in made.created
        assert client.check().missing == ("read_customer_merge",)


def test_what_the_platform_took_away_is_made_again(shop: Imitation, client: PlatformClient) -> None:
    made = client.ensure_webhooks(address=ADDRESS, secret="s3cret")
    if shop.platform in ("woocommerce", "shopline"):
        shop.webhooks[0]["status"] = "disabled"
    else:
        del shop.webhooks[0]
    report = client.ensure_webhooks(address=ADDRESS, secret="s3cret")
    assert report.repaired or report.created
    assert client.ensure_webhooks(address=ADDRESS, secret="s3cret").found == made.created
    assert all(hook.get("status", "active") == "active" for hook in shop.webhooks)


def test_somebody_elses_webhooks_are_left_alone(shop: Imitation, client: PlatformClient) -> None:
    client.ensure_webhooks(address="https://other.example/", secret="x")
    others = [dict(hook) for hook in shop.webhooks]
    client.ensure_webhooks(address=ADDRESS, secret="s3cret")
    assert [hook for hook in shop.webhooks if hook in others] == others


def test_a_tag_is_put_beside_the_others(shop: Imitation) -> None:
    client = client_of(shop, tag_meta_key="_order_tags" if shop.platform == "woocommerce" else "")
    before = tags_of(shop)
    client.add_tag(id_of(shop), "credits-reverted")
    assert tags_of(shop) == before | {"credits-reverted"}
    told = len(shop.told)
    client.add_tag(id_of(shop), "Credits-Reverted")
    assert len(shop.told) <= told + (shop.platform == "shopify")
    assert tags_of(shop) == before | {"credits-reverted"}


def tags_of(shop: Imitation) -> set[str]:
    document = shop.orders[id_of(shop)]
    if shop.platform == "woocommerce":
        return {tag for entry in document["meta_data"] if entry["key"] == "_order_tags" for tag in entry["value"]}
    tags = document["tags"]
    return {tag.strip() for tag in tags.split(",")} if isinstance(tags, str) else set(tags)


@pytest.mark.parametrize("shop", ["woocommerce"], indirect=True)
def test_without_a_field_for_tags_the_tag_is_a_note_for_staff(shop: Imitation, client: PlatformClient) -> None:
    for _ in range(2):
        client.add_tag(id_of(shop), "credits-reverted")
    (note,) = shop.orders[id_of(shop)]["_notes"]
    assert (note["note"], note["customer_note"]) == ("credits-reverted", False)


@pytest.mark.parametrize("shop", ["shopline"], indirect=True)
@pytest.mark.parametrize("tag", ["ab", "x" * 41])
def test_a_tag_shopline_would_not_take_is_not_sent(shop: Imitation, client: PlatformClient, tag: str) -> None:
    with pytest.raises(Failed, match="3 to 40"):
        client.add_tag(id_of(shop), tag)


@pytest.mark.parametrize("shop", ["shopline"], indirect=True)
def test_an_eleventh_tag_is_not_taken_for_added(shop: Imitation, client: PlatformClient) -> None:
    shop.put(order("shopline", tags=[f"tag-{index}" for index in range(10)]))
    with pytest.raises(Failed, match="10 tags"):
        client.add_tag(id_of(shop), "credits-reverted")


def test_o6_a_cancel_there_gives_nothing_back_and_counts_once(shop: Imitation, client: PlatformClient) -> None:
    # The first answer may be "under way": Shopify cancels in a job.
    assert client.cancel_order(id_of(shop), reason="customer") or client.cancel_order(id_of(shop), reason="customer")
    assert read_order(shop.platform, shop.orders[id_of(shop)]).status == "cancelled"
    told = len(shop.told)
    assert client.cancel_order(id_of(shop), reason="customer")
    assert len(shop.told) == told
    assert not getattr(shop, "returned", None)


def test_o6_an_order_that_is_gone_cannot_be_cancelled(shop: Imitation, client: PlatformClient) -> None:
    with pytest.raises(NotThere):
        client.cancel_order("424242", reason="other")


@pytest.mark.parametrize("kind", ["fixed", "percentage"])
def test_r2_a_code_is_made_once(shop: Imitation, client: PlatformClient, kind: Any) -> None:
    new = replace(CODE, kind=kind, value=Decimal(10))
    reference = client.create_code(new)
    assert client.create_code(new) == reference
    assert len(shop.codes) == 1
    assert client.code_used(new.code, reference=reference) is False


def test_r2_a_code_of_the_shops_own_is_not_taken_for_ours(client: PlatformClient) -> None:
    client.create_code(replace(CODE, title="Summer sale"))
    with pytest.raises(Failed):
        client.create_code(CODE)


def test_r3_a_deleted_code_is_gone_and_may_be_deleted_again(shop: Imitation, client: PlatformClient) -> None:
    other = replace(CODE, code="THANKS-12", title="Loyalty reward THANKS-12")
    reference, kept = client.create_code(CODE), client.create_code(other)
    client.delete_code(CODE.code, reference=reference)
    client.delete_code(CODE.code, reference=reference)
    client.delete_code(CODE.code)
    assert client.code_used(CODE.code) is None
    assert client.code_used(other.code, reference=kept) is False


def test_r3_a_used_code_is_known_as_used(shop: Imitation, client: PlatformClient) -> None:
    client.create_code(CODE)
    use(shop)
    assert client.code_used(CODE.code) is True


def use(shop: Imitation) -> None:
    (held,) = shop.codes.values()
    match shop.platform:
        case "shopify":
            held["codes"][0]["uses"] = 1
        case "shopline":
            held["sum_use_count"] = 1
        case "shopline_global":
            held["codes"][0]["usage_count"] = 1
        case _:
            held["usage_count"] = 1


# --- What goes wrong


def test_wrong_credentials_are_refused_in_a_sentence(shop: Imitation) -> None:
    wrong = connection_to(shop, Store(slug="ada"), now=NOW)
    for name in CREDENTIALS[shop.platform]:
        setattr(wrong, name, type(getattr(wrong, name)).of("wrong-credentials"))
    with pytest.raises(Refused, match="does not accept the credentials") as refused:
        client_for(wrong).check()
    assert "wrong-credentials" not in str(refused.value)


def test_credentials_are_in_no_error_and_no_picture_of_a_client(shop: Imitation, client: PlatformClient) -> None:
    secrets = list(CREDENTIALS[shop.platform].values())
    shop.fail_next(422, {"message": f"bad token {secrets[0]} {secrets[-1]}"})
    with pytest.raises(Failed) as failed:
        client.check()
    shown = str(failed.value) + repr(vars(client))
    assert not [secret for secret in secrets if secret in shown]


@pytest.mark.parametrize(
    ("retry_after", "seconds"), [("7", 7), ("2.0", 2), ("", 30), ("nonsense", 30), ("99999", 3600)]
)
def test_429_says_how_long_to_wait(client: PlatformClient, shop: Imitation, retry_after: str, seconds: int) -> None:
    shop.fail_next(429, {"error": "Rate limit exceeded", "code": "RateLimitExceeded"}, Retry_After=retry_after)
    with pytest.raises(Throttled) as throttled:
        client.check()
    assert throttled.value.after == timedelta(seconds=seconds)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_platform_in_trouble_is_asked_again_later(client: PlatformClient, shop: Imitation, status: int) -> None:
    shop.fail_next(status, "<html>Something went wrong</html>")
    with pytest.raises(Unreachable, match="problem of its own"):
        client.check()
    assert client.check().name


@pytest.mark.parametrize("body", ["<html>Coming soon</html>", '{"data": ', "[1,", "NaN"])
def test_what_is_not_json_is_no_answer(client: PlatformClient, shop: Imitation, body: str) -> None:
    shop.fail_next(200, body, times=2)
    with pytest.raises(Unreachable, match="not JSON"):
        client.check()


@pytest.mark.parametrize("value", [None, [], {}, {"data": None}, {"items": [1]}, {"orders": "x"}, 7])
def test_json_of_another_shape_is_no_answer(client: PlatformClient, shop: Imitation, value: object) -> None:
    shop.fail_next(200, json.dumps(value), times=3)
    for ask in (
        client.check,
        lambda: client.orders_updated(since=SINCE, until=NOW),
        lambda: client.cancel_order("1", reason=""),
    ):
        # Nothing else is raised, whatever the shape.
        with suppress(Unreachable, NotThere):
            ask()
    assert shop.asked


def test_a_redirect_is_not_followed(client: PlatformClient, shop: Imitation) -> None:
    shop.fail_next(301, "", Location="https://elsewhere.example/")
    with pytest.raises(Failed, match="another address"):
        client.check()
    assert len(shop.asked) == 1


@override_settings(PLATFORM_TIMEOUT_SECONDS=0.2)
def test_silence_is_not_waited_for(client: PlatformClient, shop: Imitation) -> None:
    shop.hang_next()
    with pytest.raises(Unreachable, match="did not answer"):
        client.check()
    shop.let_go()


def test_a_port_where_nobody_listens(shop: Imitation) -> None:
    connection = connection_to(shop, Store(slug="ada"), now=NOW, base_url="http://127.0.0.1:9")
    with pytest.raises(Unreachable, match="could not be reached"):
        client_for(connection).check()


def test_private_networks_are_not_called(shop: Imitation) -> None:
    connection = connection_to(shop, Store(slug="ada"), now=NOW, base_url="https://10.0.0.7")
    with pytest.raises(Failed, match="private network"):
        client_for(connection).check()


@pytest.mark.parametrize("external_id", ["../../1", "1?x=1", "a b", "1/cancel"])
def test_an_id_is_never_part_of_another_path(client: PlatformClient, shop: Imitation, external_id: str) -> None:
    with pytest.raises(Failed):
        client.fetch_order(external_id)
    assert not shop.asked


def test_a_connection_without_credentials_is_not_used(shop: Imitation) -> None:
    with pytest.raises(Refused, match="switched off"):
        client_of(shop, enabled=False)
