"""The store and its customers over REST."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from loyalty.api.views import ApiView
from loyalty.stores.keys import Scope
from loyalty.stores.models import Store


class StoreSerializer(serializers.ModelSerializer[Store]):
    """A store."""

    class Meta:
        model = Store
        fields = ("name", "slug", "currency", "time_zone", "locale")


class StoreView(ApiView):
    """The store that the key belongs to."""

    required_scopes: ClassVar = {"GET": Scope.STORE_READ}

    @extend_schema(responses=StoreSerializer)
    def get(self, _request: Request) -> Response:
        """The store that the key belongs to."""
        answer: Any = StoreSerializer(self.store).data
        return Response(answer)
