"""TLS between services: each shows a certificate of the hub's own authority, and looks at the other's name in it."""

import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, cast

import grpc
import structlog

_LOG = structlog.get_logger("libs.rpc")
_LOOK_SECONDS = 5.0
Options: TypeAlias = Sequence[tuple[str, int | str]]
TlsFiles: TypeAlias = tuple[Path, Path, Path]
"""PEM files: the authority's certificate, this process's own, and its private key."""


def identity_of(service: str) -> str:
    """The name in a service's certificate, wherever it runs: a DNS name that nobody resolves."""
    return f"{service}.contactsync.internal"


@dataclass(frozen=True, slots=True)
class _Loaded:
    ca: bytes
    cert: bytes
    key: bytes


class Tls:
    """How a process speaks to others and is spoken to: in the clear, or by its files, which may change meanwhile.

    New files are used from the next connection on, 5 s after they were written at the latest; while certificate and key
    do not go together, the ones before are.
    """

    def __init__(self, files: TlsFiles | None = None, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        """`files` of None: in the clear. Raises OSError when they cannot be read, and SSLError when they do not fit."""
        self._files = files
        self._monotonic = monotonic
        self._looked_at = monotonic()
        self._stamp = _stamp(files) if files else ()
        self._loaded = _load(files) if files else None

    @property
    def loaded(self) -> _Loaded | None:
        """What the files hold now: another object after a change. None: in the clear."""
        if self._files is not None and self._monotonic() - self._looked_at >= _LOOK_SECONDS:
            self._looked_at = self._monotonic()
            self._look_again(self._files)
        return self._loaded

    def listen(self, server: grpc.aio.Server, address: str) -> int:
        """Binds the server to host:port, and gives the port; 0 when the address is taken or not ours."""
        if self._loaded is None:
            return server.add_insecure_port(address)
        return server.add_secure_port(address, self._server_credentials(self._loaded))

    def to(self, service: str) -> "Callee":
        """How that service is called."""
        return Callee(self, service)

    def _server_credentials(self, loaded: _Loaded) -> grpc.ServerCredentials:
        used = loaded

        def renewed() -> grpc.ServerCertificateConfiguration | None:
            nonlocal used
            now = self.loaded
            if now is None or now is used:
                return None
            used = now
            return _configuration(now)

        # None says that there is no change, which the stubs do not know.
        fetch = cast("Callable[[], grpc.ServerCertificateConfiguration]", renewed)
        return grpc.dynamic_ssl_server_credentials(_configuration(loaded), fetch, require_client_authentication=True)

    def _look_again(self, files: TlsFiles) -> None:
        try:
            stamp = _stamp(files)
            if stamp == self._stamp:
                return
            self._loaded, self._stamp = _load(files), stamp
        except (OSError, ssl.SSLError) as error:  # half of the files are new: the next look finds them all
            _LOG.warning("certificate_not_renewed", error_type=type(error).__name__)
        else:
            _LOG.info("certificate_renewed")


@dataclass(frozen=True, slots=True)
class Callee:
    """A service as it is called. `service` may be empty where TLS is off."""

    tls: Tls
    service: str = ""

    @property
    def generation(self) -> object:
        """Another object when a new channel would show another certificate."""
        return self.tls.loaded

    def channel(self, target: str, options: Options) -> grpc.aio.Channel:
        """A channel to the target, which must show the service's certificate."""
        loaded = self.tls.loaded
        if loaded is None:
            return grpc.aio.insecure_channel(target, options=options)
        return grpc.aio.secure_channel(target, channel_credentials(loaded), options=(*options, *named(self.service)))

    def blocking_channel(self, target: str, options: Options) -> grpc.Channel:
        """The same for callers without an event loop."""
        loaded = self.tls.loaded
        if loaded is None:
            return grpc.insecure_channel(target, options=options)
        return grpc.secure_channel(target, channel_credentials(loaded), options=(*options, *named(self.service)))


IN_THE_CLEAR = Callee(Tls())


def named(service: str) -> Options:
    """The channel options by which the callee's certificate must be the service's, whatever the address is."""
    return (("grpc.ssl_target_name_override", identity_of(service)),)


def channel_credentials(loaded: _Loaded) -> grpc.ChannelCredentials:
    """Shows the certificate, and believes the authority's alone."""
    return grpc.ssl_channel_credentials(
        root_certificates=loaded.ca, private_key=loaded.key, certificate_chain=loaded.cert
    )


def _load(files: TlsFiles) -> _Loaded:
    ca, cert, key = files
    loaded = _Loaded(ca.read_bytes(), cert.read_bytes(), key.read_bytes())
    # gRPC would only say at the first connection that they do not go together.
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key)
    return loaded


def _stamp(files: TlsFiles) -> tuple[tuple[int, int], ...]:
    stats = [path.stat() for path in files]
    return tuple((stat.st_mtime_ns, stat.st_ino) for stat in stats)


def _configuration(loaded: _Loaded) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration([(loaded.key, loaded.cert)], root_certificates=loaded.ca)
