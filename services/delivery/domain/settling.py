"""What a delivery becomes: before its next part is sent, and after an answer came. Pure: nothing is stored here."""

from datetime import datetime
from typing import assert_never

from msgspec.structs import replace

from services.delivery.domain.answer import Answer, AnswerClass, NoAnswer, Refused, RowFailure, Taken, classify
from services.delivery.domain.delivery import Chunk, Delivery, DeliveryState, Ref, RowState
from services.delivery.domain.destination import Destination
from services.delivery.domain.parts import BOUNDS, Bounds, speaks_of_rows
from services.delivery.domain.tags import FILTERED, wanted

LOST = NoAnswer(message="The hub stopped while it was sending, and the answer was lost.", reached=True)
NEVER_TAKEN = "The destination asked for the contact again at every try."
NONE_TAKEN = "None of the contacts was taken; each row says why."
LONGEST_REASON = 512

_PENDING = bytes([RowState.PENDING])


def open_up(delivery: Delivery, chunk: Chunk, destination: Destination | None) -> Delivery:
    """Return the delivery with a state for each row of its chunk, without the contacts that are not to be sent.

    Erased ones have no part in it any more; those that the destination's tags keep out are unchanged there.
    """
    opened = delivery
    if not delivery.states:
        opened = replace(delivery, states=_fresh_states(delivery.ref, chunk.size))
        if destination is not None and destination.tags:
            opened = _screened(opened, set(wanted(chunk.contacts, destination.tags)))
    return _spared(opened, frozenset(chunk.erased)) if chunk.erased else opened


def _fresh_states(ref: Ref, size: int) -> bytes:
    if not ref.positions:
        return _PENDING * size
    states = bytearray(size)
    for position in ref.positions:
        states[position] = RowState.PENDING
    return bytes(states)


def _screened(delivery: Delivery, wanted_rows: set[int]) -> Delivery:
    out = [at for at, state in enumerate(delivery.states) if state == RowState.PENDING and at not in wanted_rows]
    reasons = tuple(RowFailure(position=at, reason=FILTERED) for at in out)
    return replace(_laid(delivery, dict.fromkeys(out, RowState.UNCHANGED)), failures=(*delivery.failures, *reasons))


def _spared(delivery: Delivery, erased: frozenset[int]) -> Delivery:
    gone = {at: RowState.NOT_OURS for at in erased if delivery.states[at] == RowState.PENDING}
    return _laid(delivery, gone)


def choose_part(delivery: Delivery, destination: Destination) -> Delivery:
    """Return the delivery with the rows that go next: as many pending ones, in order, as one part may have.

    A part that may have arrived is repeated as it was. There must be a pending row.
    """
    if delivery.is_tainted and _is_whole(delivery):
        return delivery
    start = delivery.passed if delivery.states.find(_PENDING, delivery.passed) >= 0 else 0
    most = min(delivery.part_limit or destination.chunk_size, destination.chunk_size)
    size = len(delivery.states)
    if delivery.pending == size <= most:
        return replace(delivery, part=()) if delivery.part else delivery
    rows = tuple(_first_pending(delivery.states, start, most))
    return replace(delivery, part=rows, passed=start)


def _is_whole(delivery: Delivery) -> bool:
    """Whether every row of its part is still to be sent."""
    if not delivery.part:
        return delivery.pending == len(delivery.states) > 0
    return all(delivery.states[at] == RowState.PENDING for at in delivery.part)


def _first_pending(states: bytes, start: int, most: int) -> list[int]:
    rows: list[int] = []
    at = states.find(_PENDING, start)
    while at >= 0 and len(rows) < most:
        rows.append(at)
        at = states.find(_PENDING, at + 1)
    return rows


def settle(
    delivery: Delivery,
    answer: Answer,
    *,
    destination: Destination,
    now: datetime,
    chance: float,
    bounds: Bounds = BOUNDS,
) -> Delivery:
    """Return the delivery after its part was answered. Due at `now`: its next part may go at once."""
    if isinstance(answer, Taken):
        return _taken(delivery, answer, destination=destination, now=now, chance=chance)
    tried = _tried(delivery, answer, now=now)
    match classify(answer, idempotent=destination.idempotent):
        case AnswerClass.RETRY if tried.tries + 1 < destination.retry.max_attempts:
            return _wait(_doubted(tried, answer), answer, destination=destination, now=now, chance=chance)
        case AnswerClass.PAUSE:
            return _wait(tried, answer, destination=destination, now=now, chance=chance)
        case AnswerClass.GIVE_UP if _can_be_halved(tried, answer, bounds):
            return _halved(tried, now=now)
        case AnswerClass.RETRY | AnswerClass.GIVE_UP:
            can_probe = tried.probes < bounds.probes
            return _go_on(_ended(tried, RowState.FAILED), can_probe=can_probe, now=now)
        case AnswerClass.UNKNOWN:
            ended = _ended(tried, RowState.UNKNOWN)
            return ended if ended.is_final else _wait(ended, answer, destination=destination, now=now, chance=chance)
        case AnswerClass.SENT as unreachable:
            raise AssertionError(unreachable)  # only what was taken is sent
        case unreachable:
            assert_never(unreachable)


def _taken(delivery: Delivery, answer: Taken, *, destination: Destination, now: datetime, chance: float) -> Delivery:
    if not delivery.part and _PENDING not in answer.states:
        return _done(delivery, answer, now=now)
    arrived = _arrived(_tried(delivery, answer, now=now), answer)
    return _next_turn(arrived, answer, destination=destination, now=now, chance=chance)


def _done(delivery: Delivery, answer: Taken, *, now: datetime) -> Delivery:
    """As below, in one step, since it is nearly always so: all of the chunk was sent and nothing of it is left."""
    state = _final_state(answer.states)
    return replace(
        delivery,
        state=state,
        due_at=None,
        states=answer.states,
        failures=answer.failures,
        attempt_count=delivery.attempt_count + 1,
        attempted_at=now,
        status=answer.status,
        message=_last_word(answer.message, state),
        tries=0,
        is_tainted=False,
    )


def fail(delivery: Delivery, message: str, *, now: datetime) -> Delivery:
    """Return the delivery given up without a try."""
    tried = _tried(replace(delivery, part=()), Refused(status=0, message=message), now=now)
    return _ended(tried, RowState.FAILED)


def lose(delivery: Delivery, *, now: datetime) -> Delivery:
    """Return the delivery after a claim lapsed: whether its part arrived nobody knows. The other rows go on."""
    return _go_on(_ended(_tried(delivery, LOST, now=now), RowState.UNKNOWN), now=now)


def doubt(delivery: Delivery, answer: Answer, *, destination: Destination, now: datetime, chance: float) -> Delivery:
    """Return the delivery whose part may have arrived, after nobody could be asked whether it did.

    It is asked again by the schedule, and in the end nobody knows. Its other rows wait meanwhile.
    """
    tried = _tried(delivery, answer, now=now)
    if tried.tries + 1 >= destination.retry.max_attempts:
        return _go_on(_ended(tried, RowState.UNKNOWN), now=now)
    waiting = _wait(tried, answer, destination=destination, now=now, chance=chance)
    return replace(waiting, state=DeliveryState.SENDING, passed=delivery.passed, is_tainted=True)


def conclude(delivery: Delivery, *, now: datetime) -> Delivery:
    """Return the delivery of which no row is left to be sent, without a try."""
    return _closed(replace(delivery, attempt_count=delivery.attempt_count + 1, attempted_at=now))


def _tried(delivery: Delivery, answer: Answer, *, now: datetime) -> Delivery:
    return replace(
        delivery,
        state=DeliveryState.WAITING,
        attempt_count=delivery.attempt_count + 1,
        attempted_at=now,
        status=0 if isinstance(answer, NoAnswer) else answer.status,
        message=answer.message,
        is_tainted=False,
        probes=delivery.probes + (1 if delivery.part_limit else 0),
    )


def _doubted(delivery: Delivery, answer: Answer) -> Delivery:
    """A server that failed may have taken the part before it did."""
    in_doubt = answer.reached if isinstance(answer, NoAnswer) else answer.status >= 500 or answer.status < 300
    return replace(delivery, is_tainted=in_doubt)


def _rows(delivery: Delivery) -> tuple[int, ...] | range:
    return delivery.part or range(len(delivery.states))


def _laid(delivery: Delivery, rows: dict[int, RowState]) -> Delivery:
    states = bytearray(delivery.states)
    for position, state in rows.items():
        states[position] = state
    return replace(delivery, states=bytes(states))


def _arrived(delivery: Delivery, answer: Taken) -> Delivery:
    """What was final stays: only pending rows are in a part."""
    rows = _rows(delivery)
    if not delivery.part:
        states, failures = answer.states, answer.failures
    else:
        laid = bytearray(delivery.states)
        for position, state in zip(rows, answer.states, strict=True):
            laid[position] = state
        states = bytes(laid)
        failures = tuple(RowFailure(position=rows[each.position], reason=each.reason) for each in answer.failures)
    return replace(
        delivery,
        states=states,
        failures=(*_told_of_others(delivery.failures, rows), *failures),
        passed=rows[-1] + 1,
        tries=0 if answer.states.strip(_PENDING) else delivery.tries,
        part_limit=_grown(delivery, taken=len(rows)),
    )


def _grown(delivery: Delivery, *, taken: int) -> int:
    """After a part was taken the next may be twice as large: the bad rows are elsewhere."""
    return 2 * taken if delivery.part_limit else 0


def _told_of_others(known: tuple[RowFailure, ...], rows: tuple[int, ...] | range) -> tuple[RowFailure, ...]:
    """Of rows that were sent now only the last word counts."""
    if not known:
        return ()
    sent = frozenset(rows)
    return tuple(each for each in known if each.position not in sent)


def _next_turn(
    delivery: Delivery, answer: Taken, *, destination: Destination, now: datetime, chance: float
) -> Delivery:
    """Rows behind have their turn first; those that were asked for again wait for the next pass, or until it is due."""
    if delivery.states.find(_PENDING, delivery.passed) >= 0 and not answer.strained:
        return replace(delivery, due_at=now)
    if _PENDING not in delivery.states:
        return _closed(delivery)
    if delivery.tries + 1 >= destination.retry.max_attempts:
        return _ended(replace(delivery, part=(), message=answer.message or NEVER_TAKEN), RowState.FAILED)
    return _wait(delivery, answer, destination=destination, now=now, chance=chance)


def _wait(delivery: Delivery, answer: Answer, *, destination: Destination, now: datetime, chance: float) -> Delivery:
    tries = min(delivery.tries + 1, destination.retry.max_attempts - 1) or 1
    asked = None if isinstance(answer, NoAnswer) else answer.retry_after
    pause = destination.retry.delay(tries, chance=chance, retry_after=asked)
    return replace(delivery, tries=tries, passed=0, due_at=now + pause)


def _can_be_halved(delivery: Delivery, answer: Answer, bounds: Bounds) -> bool:
    is_of_rows = isinstance(answer, Refused) and speaks_of_rows(answer)
    return is_of_rows and len(_rows(delivery)) > 1 and delivery.probes < bounds.probes


def _halved(delivery: Delivery, *, now: datetime) -> Delivery:
    return replace(delivery, part_limit=(len(_rows(delivery)) + 1) // 2, due_at=now)


def _ended(delivery: Delivery, rows: RowState) -> Delivery:
    """End the pending rows of the part. Where others fared otherwise, each keeps its own reason."""
    ended = [at for at in _rows(delivery) if delivery.states[at] == RowState.PENDING]
    others = delivery.pending > len(ended) or delivery.states.translate(None, _PENDING + bytes([RowState.NOT_OURS]))
    told = {each.position for each in delivery.failures}
    reason = delivery.message[:LONGEST_REASON]
    reasons = tuple(RowFailure(position=at, reason=reason) for at in ended if at not in told) if others else ()
    limit = 2 * len(ended) if delivery.part_limit else 0
    laid = replace(_laid(delivery, dict.fromkeys(ended, rows)), failures=(*delivery.failures, *reasons))
    return replace(laid, part_limit=limit) if laid.pending else _closed(laid)


def _go_on(delivery: Delivery, *, can_probe: bool = True, now: datetime) -> Delivery:
    """When nothing may be halved any more, the rest goes in as few requests as it can."""
    if delivery.is_final:
        return delivery
    return replace(delivery, part_limit=delivery.part_limit if can_probe else 0, due_at=now)


def _closed(delivery: Delivery) -> Delivery:
    """Of a delivery that has no pending row."""
    state = _final_state(delivery.states)
    message = _last_word(delivery.message, state)
    return replace(delivery, state=state, message=message, due_at=None, is_tainted=False)


def _last_word(message: str, state: DeliveryState) -> str:
    """A chunk that failed says why, also after a success that took no row of it."""
    return message or (NONE_TAKEN if state is DeliveryState.FAILED else "")


def _final_state(states: bytes) -> DeliveryState:
    if RowState.UNKNOWN in states:
        return DeliveryState.UNKNOWN
    kinds = set(states) - {RowState.NOT_OURS}
    return DeliveryState.FAILED if kinds <= {RowState.FAILED} else DeliveryState.DONE
