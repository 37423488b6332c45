"""How the REST API is made with its libraries: the settings of Django REST framework and of drf-spectacular."""

from typing import Any, Final

FRAMEWORK: Final[dict[str, Any]] = {
    # loyalty.api.views.ApiView names who may come in; a view that does not stand on it lets nobody in.
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["loyalty.api.requests.parsing.ExactJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "loyalty.api.requests.parsing.AlwaysJSON",
    "DEFAULT_PAGINATION_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "loyalty.api.openapi.schema.Operation",
    "EXCEPTION_HANDLER": "loyalty.api.answers.problems.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
DESCRIPTION: Final[dict[str, Any]] = {
    "TITLE": "Loyalty Back-Office",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "AutoCancel": "loyalty.api.resources.settings.AUTO_CANCEL",
        "ExpiredLots": "loyalty.api.resources.settings.EXPIRED_LOTS",
        "MovementType": "loyalty.ledger.models.MovementType",
        "Trigger": "orders.api.orders.documents.TRIGGERS",
        "OrderStatus": "orders.models.OrderStatus",
        "NoticeStatus": "loyalty.notices.models.NoticeStatus",
        "RevertStatus": "orders.models.RevertStatus",
        "CancelReason": "orders.models.CancelReason",
        "Kind": "orders.kinds.KINDS",
        "RewardType": "orders.models.RewardType",
        "RedemptionState": "orders.models.RedemptionState",
        "ReversalRequestState": "orders.models.RequestState",
        "PlatformState": "orders.models.PlatformState",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "loyalty.api.openapi.schema.describe_problems",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}
