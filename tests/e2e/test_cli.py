"""The operator's command against the running hub, as a person runs it."""

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from libs.cli.stack.hub import Hub
from tests.e2e.test_import_path import mobile
from tests.fixtures.waiting import PATIENCE_SECONDS

COMMAND = str(Path(sys.executable).parent / "contactsync")
ENDED_SECONDS = 2 * PATIENCE_SECONDS


def run(*arguments: str, data: Path, code: int = 0) -> Any:
    """A subcommand's JSON."""
    finished = subprocess.run(
        [COMMAND, *arguments, "--data", str(data), "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=ENDED_SECONDS,
    )
    assert finished.returncode == code, finished.stdout + finished.stderr
    return json.loads(finished.stdout)


def wait(imported: dict[str, Any], data: Path) -> list[dict[str, Any]]:
    """The import's jobs once they are done."""
    return [run("jobs", "watch", job["job_id"], data=data) for job in imported["jobs"]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251"])
def test_russian_csv_arrives_in_the_book(data: Path, tmp_path: Path, admin: httpx.Client, encoding: str) -> None:
    phone = mobile()
    lines = ["Телефон;Имя;Фамилия;Теги", f"8{phone[2:]};Анна;Иванова;лид,сайт", "не номер;Борис;Петров;лид"]
    file = tmp_path / "contacts.csv"
    file.write_text("\n".join(lines), encoding=encoding)

    imported = run("import", str(file), data=data)
    wait(imported, data)

    assert (imported["rows"], imported["accepted"], imported["rejected"]) == (2, 1, 1)
    found = admin.get("/admin/v1/contacts", params={"phone": phone}).json()["contacts"][0]["contact"]
    assert (found["first_name"], found["last_name"], found["tags"]) == ("Анна", "Иванова", ["лид", "сайт"])
    with Path(imported["rejected_file"]).open(encoding="utf-8", newline="") as rejected:
        (row,) = csv.DictReader(rejected)
    assert (row["Телефон"], row["Имя"], row["code"]) == ("не номер", "Борис", "not_a_number")


def test_file_imported_again_sends_nothing_twice(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "contacts.jsonl"
    file.write_text("".join(json.dumps({"phone": mobile()}) + "\n" for _ in range(1500)))

    first, again = run("import", str(file), data=data), run("import", str(file), data=data)

    assert first["rows"] == again["rows"] == 1500
    assert first["jobs"] == again["jobs"]
    assert len(first["jobs"]) == 2
    assert (first["sent_before"], again["sent_before"]) == (0, 1500)


def test_rows_of_the_wrong_shape_do_not_stop_the_others(data: Path, tmp_path: Path) -> None:
    rows: list[Any] = [{"phone": mobile()} for _ in range(300)]
    rows[7] = {"no": "phone"}
    rows[250] = {"phone": mobile(), "tags": "лид"}
    file = tmp_path / "contacts.json"
    file.write_text(json.dumps(rows))

    imported = run("import", str(file), data=data)

    assert (imported["rows"], imported["accepted"], imported["rejected"]) == (300, 298, 2)
    refused = [json.loads(line)["row"] for line in Path(imported["rejected_file"]).read_text().splitlines()]
    assert refused == [rows[7], rows[250]]


def test_vcard_arrives_in_the_book(data: Path, tmp_path: Path, admin: httpx.Client) -> None:
    phone = mobile()
    lines = ["BEGIN:VCARD", "VERSION:3.0", "N:Сидорова;Ольга;;;", "FN:Ольга Сидорова", f"TEL:{phone}", "END:VCARD", ""]
    file = tmp_path / "contacts.vcf"
    file.write_text("\r\n".join(lines))

    wait(run("import", str(file), data=data), data)

    found = admin.get("/admin/v1/contacts", params={"phone": phone}).json()["contacts"][0]["contact"]
    assert (found["first_name"], found["last_name"]) == ("Ольга", "Сидорова")


def test_rows_of_a_job_add_up(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "contacts.json"
    file.write_text(json.dumps([{"phone": mobile()}, {"phone": mobile()}, {"phone": "12"}]))
    (job,) = wait(run("import", str(file), data=data), data)

    rows = run("jobs", "rows", job["job_id"], data=data)

    assert rows["states"] == {"created": 2, "rejected": 1}
    assert [row["state"] for row in rows["rows"]] == ["created", "created", "rejected"]
    assert rows["rows"][2]["pointer"] == "/2/phone"


def test_doctor_finds_the_hub_well(data: Path) -> None:
    found = run("doctor", data=data)

    assert [finding["check"] for finding in found["findings"] if not finding["well"]] == []
    assert {process["name"] for process in found["processes"]} >= {"ingestion", "delivery", "envoy", "nats-server"}


def test_client_is_created_rotated_and_revoked(data: Path, admin: httpx.Client) -> None:
    made = run("clients", "create", "--name", "magazin", data=data)
    rotated = run("clients", "rotate", made["id"], data=data)
    listed = run("clients", "list", data=data)
    run("clients", "revoke", made["id"], data=data)

    assert made["api_key"] != rotated["api_key"]
    assert made["id"] in [client["id"] for client in listed]


def test_command_without_a_hub_says_what_to_do(tmp_path: Path) -> None:
    finished = subprocess.run(
        [COMMAND, "jobs", "list", "--data", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=ENDED_SECONDS,
    )

    assert finished.returncode == 1
    assert "contactsync up" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_log_levels_are_told_and_set_while_the_hub_runs(data: Path, hub: Hub) -> None:
    raised = run("log-level", "normalization", "debug", data=data)
    try:
        told = {each["name"]: each["level"] for each in run("log-level", data=data)["levels"]}
    finally:
        run("log-level", "normalization", "info", data=data)

    expected = {each.name: "debug" if each.service == "normalization" else "info" for each in hub.plan.instances()}
    assert {each["name"]: each["level"] for each in raised["levels"]} == {
        name: level for name, level in expected.items() if level == "debug"
    }
    assert told == expected


@pytest.mark.parametrize("wrong", [("nobody", "info"), ("access", "loud")])
def test_a_log_level_that_cannot_be_is_refused(data: Path, wrong: tuple[str, str]) -> None:
    asked = [COMMAND, "log-level", *wrong, "--data", str(data)]
    finished = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=ENDED_SECONDS)

    assert finished.returncode == 2
    assert "is none of" in finished.stderr
