"""The published schema: complete, and true to what is answered."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from django.core.management import call_command

from loyalty.stores.models import Customer
from tests.loyalty.api.support import ApiClient
from tests.published import disagreements, published

# What fits a line of a menu.
LONGEST_SUMMARY: Final = 60


@pytest.fixture(scope="module")
def schema() -> Any:
    """The schema as it is published."""
    return published()


def _operations(schema: Any) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for address, operations in schema["paths"].items():
        for method, operation in operations.items():
            yield address, method, operation


def test_the_generator_has_nothing_to_warn_about(tmp_path: Path) -> None:
    written = tmp_path / "schema.yaml"
    call_command("spectacular", "--validate", "--fail-on-warn", file=str(written))
    assert written.read_text().startswith("openapi: 3.1")


def test_every_operation_is_described_with_its_scope_and_refusals(schema: Any) -> None:
    for address, method, operation in _operations(schema):
        where = f"{method} {address}"
        assert operation["description"], where
        assert "Scope: `" in operation["description"], where
        assert {"400", "401", "403", "429", "500", "503"} <= set(operation["responses"]), where
        assert ("404" in operation["responses"]) == ("{" in address), where
        assert operation["security"] == [{"ApiKey": []}], where


def test_commands_name_their_header(schema: Any) -> None:
    commands = {
        address.removeprefix("/api/v1")
        for address, _, operation in _operations(schema)
        if any(parameter["name"] == "Idempotency-Key" for parameter in operation.get("parameters", ()))
    }
    assert {
        "/customers/{customer_id}/credits/",
        "/customers/{customer_id}/points/",
        "/orders/",
        "/orders/{order_id}/cancel/",
        "/orders/{order_id}/return/",
        "/orders/bulk-cancel/",
    } <= commands
    assert not commands & {"/customers/", "/settings/", "/orders/{order_id}/cancel/preview/"}


def test_answers_are_as_the_schema_says(api: ApiClient, customer: Customer) -> None:
    path = f"/customers/{customer.pk}"
    for kind, amount in (("credits", "5.00"), ("points", 5)):
        api.command(f"{path}/{kind}/", {"amount": amount, "reason": "gift", "expires_on": "2026-02-01"})
    api.send("PATCH", "/settings/", {"extend": {"max_days": 90}})
    lists = ("credit-lots", "point-lots", "credit-movements", "point-movements", "balance")
    across = ("/credit-lots/", "/point-lots/")
    for address in ("/store/", "/customers/", f"{path}/", "/settings/", "/settings/versions/", *across):
        assert _wrong(api, address, customer) == []
    for name in lists:
        assert _wrong(api, f"{path}/{name}/", customer) == []
    assert _wrong(api, f"{path}/statement/", customer, **{"from": "2026-01-01", "to": "2026-12-31"}) == []


def _wrong(api: ApiClient, address: str, customer: Customer, **parameters: str) -> list[str]:
    template = address.replace(f"/customers/{customer.pk}/", "/customers/{customer_id}/")
    return disagreements(api.read(address, **parameters).json(), "get", template)


def test_every_operation_has_a_name_a_title_and_a_known_tag(schema: Any) -> None:
    known = {tag["name"] for tag in schema["tags"] if tag["description"]}
    operations = [operation for _, _, operation in _operations(schema)]
    sent = [webhook["post"] for webhook in schema["webhooks"].values()]
    for name in ("operationId", "summary"):
        said = [operation[name] for operation in operations + sent]
        assert sorted(set(said)) == sorted(said)
    assert all(0 < len(operation["summary"]) <= LONGEST_SUMMARY for operation in operations)
    assert all(operation["description"] for operation in sent)
    assert {tag for operation in operations + sent for tag in operation["tags"]} == known


def test_no_part_is_there_that_nothing_uses(schema: Any) -> None:
    written = json.dumps(schema)
    parts = {
        f"#/components/{kind}/{name}"
        for kind, named in schema["components"].items()
        if kind != "securitySchemes"
        for name in named
    }
    assert {part for part in parts if f'"{part}"' not in written} == set()


def test_answers_name_their_request_and_say_when_to_come_again(schema: Any) -> None:
    problems = schema["components"]["responses"]
    for address, method, operation in _operations(schema):
        for status, answer in operation["responses"].items():
            said = problems[answer["$ref"].rpartition("/")[2]] if "$ref" in answer else answer
            assert "X-Request-ID" in said["headers"], f"{method} {address}"
            assert ("Retry-After" in said["headers"]) == (status in ("429", "503"))
