"""The same full sync by a tap of singer-sdk, whose records go to a file: it stores nothing.

`python -m tests.bench.polling.by_singer URL DATA PAGE_SIZE`.
"""

import base64
import contextlib
import json
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from singer_sdk import RESTStream, Stream, Tap
from singer_sdk import typing as th
from singer_sdk.authenticators import BearerTokenAuthenticator
from singer_sdk.pagination import BasePageNumberPaginator

from tests.bench.polling.told import tell


def fetch_token(url: str) -> str:
    """By Basic auth."""
    basic = base64.b64encode(b"test_id:test_secret").decode()
    request = urllib.request.Request(f"{url}/token", headers={"Authorization": f"Basic {basic}"})
    with urllib.request.urlopen(request) as answer:
        token: str = json.load(answer)["token"]
    return token


class Pages(BasePageNumberPaginator):
    """Goes on while the page says that there is more."""

    def has_more(self, response: Any) -> bool:
        return bool(response.json()["has_more"])


class Contacts(RESTStream[int]):
    """The contacts."""

    name = "contacts"
    path = "/contacts"
    primary_keys = ("id",)
    records_jsonpath = "$.contacts[*]"
    _labelled = th.ArrayType(th.ObjectType(th.Property("label", th.StringType), additional_properties=True))
    schema = th.PropertiesList(
        th.Property("id", th.StringType),
        th.Property("first_name", th.StringType),
        th.Property("last_name", th.StringType),
        th.Property("company", th.StringType),
        th.Property("type", th.StringType),
        th.Property("phones", _labelled),
        th.Property("emails", _labelled),
    ).to_dict()

    @property
    def url_base(self) -> str:
        return str(self.config["url"])

    @property
    def authenticator(self) -> BearerTokenAuthenticator:
        return BearerTokenAuthenticator(token=self.config["token"])

    def get_new_paginator(self) -> Pages:
        return Pages(1)

    def get_url_params(self, context: Any, next_page_token: int | None) -> dict[str, Any]:
        return {"limit": self.config["page_size"], "page": next_page_token or 1}


class ContactsTap(Tap):
    """A tap as the SDK's cookiecutter makes it."""

    name = "tap-contact-source"
    config_jsonschema = th.PropertiesList(
        th.Property("url", th.StringType, required=True),
        th.Property("token", th.StringType, required=True, secret=True),
        th.Property("page_size", th.IntegerType, required=True),
    ).to_dict()

    def discover_streams(self) -> Iterable[Stream]:
        return [Contacts(self)]


def sync(url: str, data: Path, page_size: int) -> int:
    """Give how many records came out."""
    tap = ContactsTap(config={"url": url, "token": fetch_token(url), "page_size": page_size})
    records = data / "singer.jsonl"
    with records.open("w") as file, contextlib.redirect_stdout(file):
        tap.sync_all()
    with records.open() as file:
        return sum('"RECORD"' in line[:40] for line in file)


if __name__ == "__main__":
    tell(sync)
