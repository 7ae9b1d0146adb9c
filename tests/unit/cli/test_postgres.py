"""Where a hub's data is: named by one URL, remembered, and the password out of everyone's sight."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from libs.cli.stack.errors import CannotStart
from libs.cli.stack.folder import DataFolder
from libs.cli.stack.plan import Instance, Plan, port_names
from libs.cli.stack.postgres import place_of, remember, service_url, settle
from libs.cli.stack.shape import Shape
from tests.fixtures.databases import PostgresqlServer

URL = "postgresql://hub:se%2Fcret@host:5433/contacts?sslmode=require"
READ = """
import os, sys
from pathlib import Path
from libs.cli.postgres import URL_VARIABLE, read_postgres
url = read_postgres(os.environ.get(URL_VARIABLE) or sys.argv[2], None)
print(url, URL_VARIABLE in os.environ, Path("/proc/self/cmdline").read_bytes())
"""


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path)
    folder.prepare()
    return folder


def test_a_service_gets_its_schema_and_the_password_in_a_file(folder: DataFolder) -> None:
    remember(folder, URL)

    url = urlsplit(service_url(folder, Shape(postgres=URL, connections=4), "access"))

    assert (url.username, url.password, url.hostname, url.port, url.path) == ("hub", None, "host", 5433, "/contacts")
    assert dict(parse_qsl(url.query)) == {
        "sslmode": "require",
        "schema": "access",
        "connections": "4",
        "password_file": str(folder.postgres_password),
    }
    assert folder.postgres_password.read_text() == "se/cret"
    assert folder.postgres_url.stat().st_mode & 0o777 == folder.postgres_password.stat().st_mode & 0o777 == 0o600
    assert place_of(URL) == "postgresql://host:5433/contacts"


def test_no_process_has_the_password_in_its_environment(folder: DataFolder) -> None:
    remember(folder, URL)
    shape = Shape(postgres=URL)
    ports = {name: 20000 + place for place, name in enumerate(port_names(shape))}
    plan = Plan(folder=folder, port=8080, ports=ports, shape=shape)

    told = repr(plan.instance_environment(Instance("access", 1))) + repr(plan)

    assert "schema=access" in told
    assert "cret" not in told


def test_a_hub_goes_on_where_it_was(folder: DataFolder, postgresql_server: PostgresqlServer) -> None:
    url = postgresql_server.new_database()
    settle(folder, Shape(postgres=url))

    assert settle(folder, Shape(replicas=2)).postgres == url


def test_data_in_files_is_not_left_behind(folder: DataFolder) -> None:
    folder.database_file("ingestion").touch()

    with pytest.raises(CannotStart) as caught:
        settle(folder, Shape(postgres=URL))

    assert "migrate-data" in caught.value.remedy
    assert "cret" not in str(caught.value)
    assert not folder.postgres_url.exists()


@pytest.mark.parametrize("url", ["postgresql://u:secret@127.0.0.1:1/d", "mysql://u:secret@h/d", "nonsense secret"])
def test_a_database_that_cannot_be_used_is_told_without_the_password(folder: DataFolder, url: str) -> None:
    with pytest.raises(CannotStart) as caught:
        settle(folder, Shape(postgres=url))

    assert "secret" not in str(caught.value)
    assert not folder.postgres_url.exists()


def test_too_many_processes_for_the_server_are_refused(folder: DataFolder, postgresql_server: PostgresqlServer) -> None:
    with pytest.raises(CannotStart, match="too few for 960 processes"):
        settle(folder, Shape(postgres=postgresql_server.new_database(), replicas=160))


def test_a_password_on_the_command_line_is_gone_before_anything_else_happens() -> None:
    command = [sys.executable, "-c", READ, "--postgres", URL]
    environment = {name: value for name, value in os.environ.items() if name != "CONTACTSYNC_POSTGRES_URL"}

    shown = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    url, inherited, words = shown.split(" ", 2)
    assert (url, inherited) == (URL, "False")
    assert "cret" not in words
