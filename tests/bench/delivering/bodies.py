"""What the peers of `contactsync bench delivery` share: the bodies that the hub would send, and when to begin."""

import base64
import hashlib
import hmac
import sys
import time

import orjson

from libs.cli.bench.load import import_body

SECRET = b"s" * 32


def body(place: int, size: int) -> bytes:
    head = {"id": f"bench.{place}", "type": "contacts.upserted", "correlation_id": f"bench-{place}"}
    return orjson.dumps(head | {"contacts": orjson.loads(import_body(size))})


def headers(sent: bytes) -> dict[str, str]:
    delivery_id = hashlib.sha256(sent).hexdigest()
    at = str(int(time.time()))
    signed = b".".join((delivery_id.encode(), at.encode(), sent))
    signature = base64.b64encode(hmac.digest(SECRET, signed, "sha256")).decode()
    return {
        "Content-Type": "application/json",
        "webhook-id": delivery_id,
        "webhook-timestamp": at,
        "webhook-signature": f"v1,{signature}",
    }


def wait_for_the_word(*helpers: int) -> None:
    """Says that all is ready, and which other processes belong to it; returns when delivery is to begin."""
    sys.stdout.write(" ".join(("ready", *map(str, helpers))) + "\n")
    sys.stdout.flush()
    sys.stdin.readline()
