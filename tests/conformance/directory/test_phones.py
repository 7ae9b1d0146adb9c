"""What reads phones for the contact book: normalization over gRPC, and the stand-in without a network."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from libs.rpc import Identity, Peer
from services.directory.peers.memory import MemoryPhones
from services.directory.peers.phones import RpcPhones
from services.directory.ports.phones import Phones
from services.normalization.main import running
from services.normalization.settings import Settings

KEY = bytes(range(32))


@pytest.fixture(params=["memory", "rpc"])
async def phones(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Phones]:
    if request.param == "memory":
        yield MemoryPhones()
        return
    key_file = tmp_path / "service.key"
    key_file.write_text(KEY.hex())
    settings = Settings(service_key_file=key_file, listen="127.0.0.1:0", access_address="127.0.0.1:1")
    async with running(settings) as server:
        await server.start()
        peer = Peer(f"127.0.0.1:{server.port}", identity=Identity("directory", KEY))
        yield RpcPhones(peer)
        await peer.close()
        await server.stop()


async def test_every_spelling_of_a_number_of_the_country_is_one(phones: Phones) -> None:
    spellings = ["9999999999", "919999999999", "+919999999999", "+91 99999 99999", " 99999-99999 "]

    read = await phones.read(spellings, country="IN")

    assert read == dict.fromkeys(spellings, "+919999999999")


async def test_a_number_of_another_country_needs_its_code_and_no_plus(phones: Phones) -> None:
    read = await phones.read(["79001234567", "14155552671", "+14155552671"], country="IN")

    assert read == {"79001234567": "+79001234567", "14155552671": "+14155552671", "+14155552671": "+14155552671"}


async def test_what_is_no_number_is_left_out(phones: Phones) -> None:
    read = await phones.read(["", "  ", "99999", "call me", "+", "9999999999999999999", "9" * 256], country="IN")

    assert read == {}


async def test_nothing_is_asked_of_nobody(phones: Phones) -> None:
    assert await phones.read([], country="IN") == {}
