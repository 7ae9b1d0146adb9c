"""Asks the service of this container how it is: ``python -m libs.rpc.probe`` ends with 0 while it says SERVING.

It goes where the service's own settings say that it listens, over TLS with the service's own certificate, if any.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from libs.rpc.tls import Tls

_ANSWER_SECONDS = 3.0
_FILES = ("CONTACTSYNC_TLS_CA_FILE", "CONTACTSYNC_TLS_CERT_FILE", "CONTACTSYNC_TLS_KEY_FILE")


def serves(address: str, tls: Tls, service: str) -> bool:
    """Whether what listens at ``host:port`` says SERVING, and shows the service's certificate where TLS is on."""
    with tls.to(service).blocking_channel(address, ()) as channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=_ANSWER_SECONDS)
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def probe(environment: Mapping[str, str], service: str) -> bool:
    """The same of the service that has these settings. OSError when a certificate is missing."""
    ca, cert, key = (environment.get(name, "") for name in _FILES)
    tls = Tls((Path(ca), Path(cert), Path(key))) if ca and cert and key else Tls()
    return serves(f"127.0.0.1:{environment['CONTACTSYNC_LISTEN'].rpartition(':')[2]}", tls, service)


if __name__ == "__main__":
    sys.exit(not probe(os.environ, sys.argv[1]))
