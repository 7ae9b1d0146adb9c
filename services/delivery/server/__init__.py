"""The typed service."""

from services.delivery.server.service import DeliveryServer, Desks

__all__ = ["DeliveryServer", "Desks"]
