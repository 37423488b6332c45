"""Shapes of answers that several resources share, for the schema and for what is rendered.

Answers are made by plain functions, because a page is made of thousands of values; the serializers called documents
describe the same to the schema, and tests hold the two together.
"""

from typing import Any

from rest_framework import serializers

from loyalty.stores.actors import ActorType


class Document(serializers.Serializer[Any]):
    """The shape of an answer; every member is always there."""


class ActorDocument(Document):
    """Who did something."""

    type = serializers.ChoiceField(choices=[actor.value for actor in ActorType])
    id = serializers.CharField()
    name = serializers.CharField()


def actor_json(ref: str, name: str) -> dict[str, str]:
    """A reference such as ``api_key:3`` taken apart, and a name for people."""
    actor_type, _, key = ref.partition(":")
    return {"type": actor_type, "id": key, "name": name}
