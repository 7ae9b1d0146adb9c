"""Forms say what was changed, and nothing else."""

from datetime import timedelta

import pytest

from libs.rpc import PeerRefused
from libs.rpc.refusal import Violation
from services.console.pages.forms import Changed, NotANumber, chosen, objection_of


def test_only_what_differs_from_what_the_field_held_is_changed() -> None:
    changed = Changed({"name": "Shop", "was.name": "Shop", "url": " http://b ", "was.url": "http://a", "token": ""})

    assert changed.text("name") is None
    assert changed.text("url") == "http://b"
    assert changed.text("token") is None
    assert changed.text("absent") is None


def test_emptied_field_is_changed_to_nothing() -> None:
    changed = Changed({"lead_status": "", "was.lead_status": "New"})

    assert changed.text("lead_status") == ""


def test_numbers_are_read_as_people_write_them() -> None:
    changed = Changed({"rate": "0,5", "tries": "7", "timeout": "2.5", "idempotent": "no", "was.idempotent": "yes"})

    assert changed.number("rate") == 0.5
    assert changed.whole("tries") == 7
    assert changed.span("timeout") == timedelta(seconds=2.5)
    assert changed.yes("idempotent") is False


@pytest.mark.parametrize("text", ["many", "1e999", "1.5.2", "nan"])
def test_text_that_is_no_span_is_told_by_its_field(text: str) -> None:
    changed = Changed({"timeout": text})

    with pytest.raises(NotANumber) as caught:
        changed.span("timeout")

    assert caught.value.name == "timeout"


def test_what_was_ticked_is_told_without_its_beginning() -> None:
    assert chosen({"row:a.0/1": "on", "row:b.0/2": "on", "do": "replay"}, "row:") == ["a.0/1", "b.0/2"]


def test_refusals_that_a_form_can_mend_are_shown_and_others_go_up() -> None:
    refused = PeerRefused("VALIDATION_ERROR", "No.", violations=[Violation("/url", "forbidden", "may not be called")])

    objection = objection_of(refused)

    assert (objection.message, list(objection.violations)) == ("No.", [("/url", "may not be called")])
    with pytest.raises(PeerRefused):
        objection_of(PeerRefused("UNAUTHORIZED", "Who are you?"))
