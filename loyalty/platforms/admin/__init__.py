"""The back-office's pages about shop platforms."""

from loyalty.platforms.admin.connections import PlatformConnectionAdmin
from loyalty.platforms.admin.deliveries import InboundDeliveryAdmin

__all__ = ["InboundDeliveryAdmin", "PlatformConnectionAdmin"]
