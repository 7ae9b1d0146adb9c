"""What an operator can mend is told in a sentence: what, where, and what to do."""

import errno
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from gateway.tracing import Sampling
from libs.cli import main
from libs.cli.api import ApiError, NoHub, answer_of
from libs.cli.importing.readers import read_records
from libs.cli.importing.records import UnreadableFile
from libs.cli.keeping import backup
from libs.cli.stack.errors import CannotStart
from libs.cli.stack.folder import DataFolder
from libs.cli.stack.traces import choose_tracing

Told = tuple[int, str]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Told]:
    """Gives the exit code and what was said on standard error."""

    def run(*words: str | Path) -> Told:
        monkeypatch.setattr("sys.argv", ["contactsync", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main.run()
        assert isinstance(ended.value.code, int)
        return ended.value.code, capsys.readouterr().err

    return run


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path / "data")
    folder.prepare()
    folder.write_run_facts({"url": "http://127.0.0.1:9", "tls": False, "instances": {"access": "access"}})
    return folder


@pytest.mark.parametrize("command", [["jobs", "list"], ["doctor"], ["restart"], ["log-level"], ["metrics"]])
def test_a_hub_that_was_killed_is_not_taken_for_one_that_runs(
    run: Callable[..., Told], folder: DataFolder, command: list[str]
) -> None:
    with folder.held():
        pass

    code, told = run(*command, "--data", folder.root)

    assert (code, told.strip()) == (
        1,
        f"no hub runs on {folder.root}; start one with: contactsync up --data {folder.root}",
    )


def test_a_hub_of_another_user_is_not_taken_for_none(
    run: Callable[..., Told], folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(path: Path) -> str:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_text", read)  # root, as which tests may run, is refused nothing

    assert run("doctor", "--data", folder.root) == (1, f"{folder.run_facts}: Permission denied\n")


@pytest.mark.parametrize("command", [["jobs", "list"], ["log-level"]])
@pytest.mark.parametrize("content", [None, "", "{}"])
def test_a_key_that_was_taken_away_is_asked_for(
    run: Callable[..., Told], folder: DataFolder, command: list[str], content: str | None
) -> None:
    if content is not None:
        folder.credentials.write_text(content)

    with folder.held():
        code, told = run(*command, "--data", folder.root)

    assert code == 1
    assert str(folder.credentials) in told
    assert "--key" in told


def test_an_address_that_is_none_is_not_waited_for(run: Callable[..., Told]) -> None:
    assert run("jobs", "list", "--url", "hub:8080", "--key", "mine") == (
        1,
        "hub:8080 is no address of a hub; write http://host:port or https://host\n",
    )


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["clients", "create", "--name", "x", "--scope", "write"], ["write", "import", "read", "admin"]),
        (["sources", "create", "--kind", "custm", "--url", "https://x"], ["custm", "custom", "connect", "telecrm"]),
        (["destinations", "create", "--kind", "wobhook"], ["wobhook", "webhook", "telecrm", "connect", "directory"]),
        (["workspaces", "create-token", "default", "--type", "snyc"], ["snyc", "sync", "async"]),
        (["bench", "import", "--sizes", "one"], ["one", "--sizes"]),
        (["bench", "scale", "--replicas", "1;2"], ["1;2", "--replicas"]),
        (["bench", "all", "--svg", "/nowhere/goals.svg"], ["/nowhere"]),
        (["log-level", "access", "loud"], ["loud", "debug", "info", "warning", "error"]),
    ],
)
def test_a_word_that_is_none_is_told_with_those_that_are(
    run: Callable[..., Told], command: list[str], words: list[str]
) -> None:
    code, told = run(*command)

    assert code == 2
    assert all(word in told for word in words)


def test_a_folder_is_held_by_one_hub_and_whoever_looks_disturbs_none(folder: DataFolder) -> None:
    with folder.held():
        assert folder.is_held()
        with pytest.raises(CannotStart, match="runs on"), folder.held():
            """Never."""
    assert not folder.is_held()


@pytest.mark.parametrize("name", ["master", "pepper"])
def test_a_key_that_data_was_made_with_is_not_made_anew(folder: DataFolder, name: str) -> None:
    folder.database_file("access").touch()
    folder.key(name).unlink()
    folder.key("nats").unlink()

    with pytest.raises(CannotStart, match=f"{name}.key is missing"):
        folder.prepare()

    assert not folder.key(name).exists()
    folder.database_file("access").unlink()
    folder.prepare()
    assert folder.key(name).exists()


@pytest.mark.parametrize("content", ["nojson", '[{"phone": "1"},', '{"phone": 1', '{"phone": "1"} and more', "[1]"])
def test_a_file_that_is_no_json_is_told_in_a_line(tmp_path: Path, content: str) -> None:
    file = tmp_path / "contacts.json"
    file.write_text(content)

    with pytest.raises(UnreadableFile, match=r"\A.+\Z"):
        list(read_records(file))


@pytest.mark.parametrize("otlp", ["nonsense", "http://host", "host:4317", "https://host:4317", "http://host:x"])
def test_a_collector_that_cannot_be_is_refused_before_anything_starts(otlp: str) -> None:
    with pytest.raises(CannotStart) as refused:
        choose_tracing(otlp=otlp, jaeger_url="", jaeger=False, sampling=Sampling())

    assert (otlp in refused.value.what, "http://host:4317" in refused.value.remedy) == (True, True)


@pytest.mark.parametrize("content", [b"junk", b"\x1f\x8b\x08\x00junk", b""])
def test_what_is_no_archive_is_not_restored(run: Callable[..., Told], tmp_path: Path, content: bytes) -> None:
    archive = tmp_path / "backup.tar.gz"
    archive.write_bytes(content)

    code, told = run("restore", archive, "--data", tmp_path / "restored")

    assert (code, told) == (1, f"{archive} is no whole archive\nName what contactsync backup made.\n")


@pytest.mark.parametrize("manifest", [None, "", "[]", '{"format": 1}', "not JSON"])
def test_a_folder_that_is_no_backup_is_not_restored(
    run: Callable[..., Told], tmp_path: Path, manifest: str | None
) -> None:
    (tmp_path / "backup").mkdir()
    if manifest is not None:
        (tmp_path / "backup" / "backup.json").write_text(manifest)

    code, told = run("restore", tmp_path / "backup", "--data", tmp_path / "restored")

    assert (code, told) == (1, "this is no backup of a hub\nName what contactsync backup made.\n")


def test_what_is_no_hub_is_not_taken_for_one() -> None:
    asked = httpx.Request("GET", "https://www.example/admin/v1/jobs?page_size=50")

    with pytest.raises(NoHub, match=r"what answers at https://www\.example/ is no hub"):
        answer_of(httpx.Response(200, text="<html>", request=asked))
    with pytest.raises(ApiError, match=r"error \(404\): <html>"):
        answer_of(httpx.Response(404, text="<html>", request=asked))


def test_a_damaged_database_is_named_and_not_backed_up(
    run: Callable[..., Told], folder: DataFolder, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(folder.database_file("access"))) as database:
        database.execute("CREATE TABLE kept (id)")
    folder.database_file("ingestion").write_bytes(b"garbage" * 1000)

    code, told = run("backup", tmp_path / "backup", "--data", folder.root)

    assert code == 1
    assert told.startswith("ingestion's database cannot be copied: file is not a database\n")
    assert not (tmp_path / "backup").exists()


def test_a_place_that_cannot_be_written_is_named(run: Callable[..., Told], folder: DataFolder, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    code, told = run("backup", tmp_path / "file" / "backup", "--data", folder.root)

    assert (code, told.splitlines()) == (1, [f"{tmp_path / 'file'}: File exists"])


def test_a_full_disk_is_told(
    run: Callable[..., Told], folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(backup, "write_backup", write)

    code, told = run("backup", tmp_path / "backup", "--data", folder.root)

    assert (code, told.splitlines()[0]) == (1, "the disk is full")
