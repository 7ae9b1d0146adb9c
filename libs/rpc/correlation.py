"""The correlation id of a call: given by the caller or made here."""

import re
from collections.abc import Mapping
from uuid import uuid4

from libs.rpc.refusal import Refusal, Violation

CORRELATION_HEADER = "x-correlation-id"
BAGGAGE_KEY = "correlation_id"
"""Where it is bound in the OpenTelemetry baggage."""

_VALID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


def make_correlation_id() -> str:
    """A new one."""
    return str(uuid4())


def given_correlation_id(headers: Mapping[str, str], repeated: frozenset[str] = frozenset()) -> str | None:
    """The caller's.

    None: none was given. Refuses with VALIDATION_ERROR what is not 1 to 128 safe characters, or not one.
    """
    given = headers.get(CORRELATION_HEADER)
    if given is None or (_VALID.fullmatch(given) and CORRELATION_HEADER not in repeated):
        return given
    message = "X-Correlation-ID must be given once, with 1 to 128 characters of A-Z a-z 0-9 . _ : -"
    raise Refusal("VALIDATION_ERROR", message, violations=[Violation("", "correlation_id", message)])
