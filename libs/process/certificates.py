"""The files of a process's certificate, looked at once before they are used."""

import ssl
from pathlib import Path


class CertificateError(Exception):
    """The files cannot be used. The text says which and why; it never holds what is in them."""

    def __init__(self, problem: str) -> None:
        super().__init__(
            f"{problem}. Make a certificate authority and a certificate for each service: contactsync certs DIR"
        )


def read_tls_files(ca: Path | None, cert: Path | None, key: Path | None) -> tuple[Path, Path, Path] | None:
    """None when none is given. Raises CertificateError when one is missing or they do not go together."""
    if ca is None or cert is None or key is None:
        if ca or cert or key:
            raise CertificateError(
                "CONTACTSYNC_TLS_CA_FILE, _CERT_FILE and _KEY_FILE belong together; give all or none"
            )
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(cert, key)
        context.load_verify_locations(ca)
    except ssl.SSLError as error:
        raise CertificateError(f"{cert}, {key} and {ca} do not go together ({error.reason or 'no PEM'})") from None
    except OSError as error:
        raise CertificateError(f"one of {ca}, {cert} and {key} cannot be read ({error.strerror})") from error
    return ca, cert, key
