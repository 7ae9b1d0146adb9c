"""One wrapping of each method of a server: correlation, trace, door, validation, last door.

It is made once per method at start, and wraps the handler itself: an interceptor of grpc.aio costs a coroutine and a
look-up per call.
"""

import grpc
from google.protobuf.descriptor import MethodDescriptor
from protovalidate import Validator

from libs.rpc.door import Door
from libs.rpc.exchange import Exchange
from libs.rpc.load import Load
from libs.rpc.numbers import ServerNumbers
from libs.rpc.served import Handler, Served


class Chain:
    """Wraps the methods of one server."""

    def __init__(self, door: Door, load: Load) -> None:
        self._door = door
        self._load = load
        self._validator = Validator()
        self.exchange = Exchange()
        """What serves the unary methods on streams."""
        self.numbers = ServerNumbers()

    def wrap(self, method: MethodDescriptor, handler: Handler) -> Handler:
        """The method behind the door.

        It takes and gives bytes: what fails in reading or writing them is refused like the rest.
        """
        served = Served(method, handler, self._door, self._load, self._validator, self.numbers)
        if handler.request_streaming and handler.response_streaming:  # of the contracts, only the exchange of calls
            return grpc.stream_stream_rpc_method_handler(served.exchange)
        if handler.request_streaming:
            return grpc.stream_unary_rpc_method_handler(served.take_stream)
        if handler.response_streaming:
            return grpc.unary_stream_rpc_method_handler(served.give_stream)
        if not served.answers_rest:
            self.exchange.add(served)
        return grpc.unary_unary_rpc_method_handler(served.answer)
