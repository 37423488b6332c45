"""Keys, scopes, problems: what holds at every address."""

import pytest

from loyalty.stores.models import Store

PROBLEM = "application/problem+json"


def test_the_store_of_the_key(api, store):
    response = api.read("/store/")
    assert response.status_code == 200
    assert response.json() == {
        "name": "Tea", "slug": "tea", "currency": "USD", "time_zone": "Asia/Taipei", "locale": "en",
    }  # fmt: skip


def test_without_a_key_401(client, db):
    response = client.get("/api/v1/store/")
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"
    assert response["Content-Type"] == PROBLEM
