"""The logo of a store's letters over REST (H3, H4)."""

from base64 import b64encode
from typing import ClassVar, Final

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from loyalty.api.answers.documents import Document
from loyalty.api.openapi.schema import IF_MATCH
from loyalty.api.requests.etags import expected_version, versioned
from loyalty.api.resources.settings import ETAG, SettingsBody, settings_json
from loyalty.api.values import Body, BytesField, PointsField
from loyalty.api.views import ApiView
from loyalty.store_settings.logo import LARGEST, keep_logo, logo_named, read_picture, size_of
from loyalty.store_settings.save import change_settings
from loyalty.store_settings.sections import current_settings
from loyalty.stores.keys import Scope

# Three bytes are four characters.
_LONGEST: Final = -(-LARGEST // 3) * 4


class LogoBody(Body):
    """The picture that letters are to have at their head."""

    picture = BytesField(max_length=_LONGEST, required=False, help_text="A PNG, JPEG, GIF or WebP in base64.")


class LogoDocument(Document):
    """The picture that letters have: 600 by 200 pixels at most, drawn anew from what was brought; null: none."""

    logo = serializers.CharField(allow_null=True, help_text="Its name, as `letterhead.logo` of the settings has it.")
    media_type = serializers.ChoiceField(choices=["image/png", "image/jpeg"], allow_null=True)
    width = PointsField(allow_null=True, help_text="In pixels.")
    height = PointsField(allow_null=True, help_text="In pixels.")
    picture = serializers.CharField(allow_null=True, help_text="In base64.")


class LogoView(ApiView):
    """The logo of the store's letters."""

    required_scopes: ClassVar = {"GET": Scope.SETTINGS_READ, "PATCH": Scope.SETTINGS_WRITE}

    @extend_schema(responses=LogoDocument)
    def get(self, _request: Request) -> Response:
        """The logo that the store's letters have now; each member is null without one."""
        picture = logo_named(self.store, current_settings(self.store).letterhead.logo)
        if picture is None:
            return Response(dict.fromkeys(LogoDocument().fields))
        width, height = size_of(picture.name)
        facts = {"logo": picture.name, "media_type": picture.media_type, "width": width, "height": height}
        return Response({**facts, "picture": b64encode(picture.content).decode()})

    @extend_schema(parameters=[IF_MATCH, ETAG], request=LogoBody, responses=SettingsBody)
    def patch(self, request: Request) -> Response:
        """Give letters a logo: answers the settings, which name it. An empty `letterhead.logo` takes it away."""
        content = self.read(LogoBody).get("picture")
        picture = read_picture(content, "/picture") if content is not None else None
        with transaction.atomic():
            if picture is not None:
                keep_logo(self.store, picture)
            after = change_settings(
                store=self.store,
                patch={"letterhead": {"logo": picture.name}} if picture is not None else {},
                version=expected_version(request),
                actor=self.actor,
                now=self.now,
            )
        return versioned(settings_json(after, self.store), after.version)
