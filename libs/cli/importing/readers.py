"""Files of contacts as streams of records: JSON, JSON lines, CSV and vCard."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import charset_normalizer
import ijson
import vobject

from libs.cli.importing.records import Contact, Record, UnreadableFile

_SAMPLE_BYTES = 65536
# What a column may be called, in lower case → the field it becomes. Any other column keeps its name.
_COLUMNS = {
    "phone": "phone", "phone number": "phone", "phone_number": "phone", "mobile": "phone", "tel": "phone",
    "телефон": "phone", "номер": "phone", "номер телефона": "phone", "моб. телефон": "phone", "тел": "phone",
    "tags": "tags", "tag": "tags", "labels": "tags", "теги": "tags", "тег": "tags", "метки": "tags",
    "email": "email", "e-mail": "email", "mail": "email", "почта": "email", "эл. почта": "email",
    "first name": "first_name", "first_name": "first_name", "firstname": "first_name", "имя": "first_name",
    "last name": "last_name", "last_name": "last_name", "lastname": "last_name", "surname": "last_name",
    "фамилия": "last_name",
    "company": "company", "organization": "company", "компания": "company", "организация": "company",
}  # fmt: skip


def read_records(path: Path, *, columns: Mapping[str, str] | None = None) -> Iterator[Record]:
    """The file's contacts in order, by its ending. ``columns`` maps further headers of a CSV to fields.

    Raises UnreadableFile when the file is not what its ending says.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise UnreadableFile(f"{path.name}: unknown ending; known are {', '.join(sorted(_READERS))}")
    with path.open("rb") as file:
        try:
            yield from reader(file, columns or {})
        except (ValueError, ijson.JSONError, csv.Error, vobject.base.ParseError) as error:
            why = str(error).partition("\n")[0]  # a drawing of the place follows
            raise UnreadableFile(f"{path.name} cannot be read as {path.suffix}: {why}") from error


def _read_json(file: BinaryIO, columns: Mapping[str, str]) -> Iterator[Record]:
    first = _first_byte(file)
    if first == b"[":
        for value in ijson.items(file, "item", use_float=True):
            yield _json_record(value)
    else:
        yield from _read_json_lines(file, columns)


def _read_json_lines(file: BinaryIO, _columns: Mapping[str, str]) -> Iterator[Record]:
    """JSON values one after the other, a line each or spread over lines."""
    for value in ijson.items(file, "", multiple_values=True, use_float=True):
        yield _json_record(value)


def _json_record(value: Any) -> Record:
    if not isinstance(value, dict):
        raise UnreadableFile(f"a contact must be a JSON object, not {json.dumps(value)[:40]}")
    return Record(contact=value, source=value)


def _read_csv(file: BinaryIO, columns: Mapping[str, str]) -> Iterator[Record]:
    sample = file.read(_SAMPLE_BYTES)
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=detect_encoding(sample), newline="")
    rows = csv.DictReader(text, dialect=_detect_dialect(sample, text.encoding), restkey="_more")
    fields = _COLUMNS | {header.casefold(): field for header, field in columns.items()}
    names = {header: fields.get(header.strip().casefold(), header.strip()) for header in rows.fieldnames or []}
    if "phone" not in names.values():
        known = ", ".join(rows.fieldnames or [])
        raise UnreadableFile(f"no column is the phone; the columns are: {known}. Name it: --map 'COLUMN=phone'")
    for row in rows:
        yield Record(contact=_contact_of_row(row, names), source=row)


def _contact_of_row(row: Mapping[str, Any], names: Mapping[str, str]) -> Contact:
    values = {field: (row[header] or "").strip() for header, field in names.items()}
    phone, tags = values.pop("phone"), values.pop("tags", "")
    separator = ";" if ";" in tags else ","
    return {
        "phone": phone,
        "tags": [tag.strip() for tag in tags.split(separator) if tag.strip()],
        "additionalFields": {field: value for field, value in values.items() if value},
    }


def detect_encoding(sample: bytes) -> str:
    """UTF-8 when the sample is that, with or without a byte order mark; else what the library finds likeliest."""
    try:
        # A multi-byte character may be cut at the sample's end.
        sample[: sample.rfind(b"\n") + 1 or None].decode("utf-8-sig")
    except UnicodeDecodeError:
        best = charset_normalizer.from_bytes(sample, cp_isolation=["cp1251", "utf_16", "utf_16_le", "koi8_r"]).best()
        return best.encoding if best else "cp1251"
    return "utf-8-sig"


def _detect_dialect(sample: bytes, encoding: str) -> type[csv.Dialect]:
    head = sample.decode(encoding, errors="ignore")
    try:
        return csv.Sniffer().sniff(head, delimiters=",;\t|")
    except csv.Error:
        return csv.excel  # one column: there is no delimiter to find


def _read_vcard(file: BinaryIO, _columns: Mapping[str, str]) -> Iterator[Record]:
    sample = file.read(_SAMPLE_BYTES)
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=detect_encoding(sample), newline="")
    for card in vobject.readComponents(text, ignoreUnreadable=True):
        yield Record(contact=_contact_of_card(card), source=card.serialize(validate=False))


def _contact_of_card(card: Any) -> Contact:
    phones = [line.value for line in card.contents.get("tel", [])]
    fields: dict[str, Any] = {"email": _first(card, "email"), "external_id": _first(card, "uid")}
    name = _first(card, "n")
    if name is not None:
        fields |= {"first_name": name.given, "last_name": name.family}
    company = _first(card, "org")
    fields["company"] = company[0] if company else None
    if phones[1:]:
        fields["phones"] = phones[1:]
    tags = [tag for line in card.contents.get("categories", []) for tag in line.value]
    kept = {field: value for field, value in fields.items() if value}
    return {"phone": phones[0] if phones else "", "tags": tags, "additionalFields": kept}


def _first(card: Any, name: str) -> Any:
    lines = card.contents.get(name, [])
    return lines[0].value if lines else None


def _first_byte(file: BinaryIO) -> bytes:
    head = file.read(_SAMPLE_BYTES).lstrip(b"\xef\xbb\xbf \t\r\n")
    file.seek(0)
    return head[:1]


_READERS: dict[str, Callable[[BinaryIO, Mapping[str, str]], Iterator[Record]]] = {
    ".json": _read_json,
    ".jsonl": _read_json_lines,
    ".ndjson": _read_json_lines,
    ".csv": _read_csv,
    ".tsv": _read_csv,
    ".vcf": _read_vcard,
}
