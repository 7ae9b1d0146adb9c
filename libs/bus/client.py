"""nats-py, without its WebSocket transport: that would bring a whole HTTP client along (5 MB, 0.2 s)."""

from libs.lean import without

with without("aiohttp"):
    from nats import errors
    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.js import JetStreamManager, api
    from nats.js.errors import APIError

__all__ = ["APIError", "Client", "JetStreamManager", "Msg", "api", "errors"]
