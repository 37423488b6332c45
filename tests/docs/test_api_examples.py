"""Every operation of the REST API has an example of what is asked and answered, and that is what it answers."""

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from loyalty.api.openapi.examples import Example, kept_examples
from loyalty.webhooks.events import TEST, WebhookEvent
from tests.database import as_owner
from tests.docs.api_story import tell_story
from tests.published import published


def operations() -> Iterator[tuple[str, Any]]:
    for address, methods in published()["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {address}", operation


@pytest.mark.django_db
def test_the_api_answers_as_its_examples_say() -> None:
    with as_owner():
        told = tell_story().to_json()
    kept = kept_examples().to_json()
    again = "If this is as it should be: .venv/bin/python -m docs.record_examples"
    for operation, named in told["operations"].items():
        for name, example in named.items():
            assert example == kept["operations"].get(operation, {}).get(name), again
    assert told == kept, again


def test_every_operation_shows_what_is_asked_and_answered() -> None:
    for name, operation in operations():
        examples = kept_examples().operations.get(name, {})
        granted = {str(example.status) for example in examples.values() if example.granted}
        answers = {status for status in operation["responses"] if status < "300"}
        assert granted == answers, f"{name} needs an example in tests/docs/api_story.py"
        for status in answers:
            content = operation["responses"][status].get("content", {})
            assert all(shown["examples"] for shown in content.values()), name
        for content in operation.get("requestBody", {}).get("content", {}).values():
            assert content["examples"], name
        for parameter in operation.get("parameters", ()):
            if parameter.get("required"):
                assert parameter["example"], f"{name}: {parameter['name']}"


def test_examples_are_as_the_description_says() -> None:
    for name, operation in operations():
        for example in kept_examples().operations[name].values():
            assert disagreements(operation, example) == [], f"{name}: {example.title}"


def disagreements(operation: Any, example: Example) -> list[str]:
    """What an example is against what its operation says of bodies and answers."""
    wrong = []
    if example.granted and example.body is not None:
        wrong += _invalid(operation["requestBody"]["content"]["application/json"]["schema"], example.body)
    content = operation["responses"][str(example.status)].get("content", {})
    for shown in content.values():
        wrong += _invalid(shown["schema"], example.answer)
    return wrong if content or example.answer is None else [*wrong, "An answer without a body has one."]


def _invalid(schema: Any, value: Any) -> list[str]:
    validator = Draft202012Validator({**schema, "components": published()["components"]})
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def test_every_webhook_shows_what_is_sent() -> None:
    webhooks = published()["webhooks"]
    assert set(webhooks) == set(kept_examples().webhooks) == {*WebhookEvent, TEST}
    for event, methods in webhooks.items():
        content = methods["post"]["requestBody"]["content"]["application/json"]
        (example,) = content["examples"].values()
        assert example["value"]["type"] == event
        assert _invalid(content["schema"], example["value"]) == []
