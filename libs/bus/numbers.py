"""What a process counts of its messages."""

from time import perf_counter

from libs.bus.ports import Deliver, Message, Verdict
from libs.measures import AGES, About, Counter, Histogram, Measures

_STREAM = "messaging.destination.name"


class BusNumbers:
    """Messages sent and dealt with, by stream or subject: none of their names holds an id."""

    def __init__(self) -> None:
        sent = About(
            name="messaging.client.sent.messages",
            text="Messages that were published, or could not be.",
            unit="{message}",
            labels=(_STREAM, "error.type"),
        )
        took = About(
            name="messaging.process.duration",
            text="How long messages take to be dealt with, by what they are answered with.",
            unit="s",
            labels=(_STREAM, "contactsync.verdict"),
        )
        waited = About(
            name="contactsync.ticket.lag", text="How long messages lay on the bus.", unit="s", labels=(_STREAM,)
        )
        again = About(
            name="contactsync.ticket.redeliveries",
            text="Messages that came again.",
            unit="{message}",
            labels=(_STREAM,),
        )
        self._sent, self._again = Counter(sent), Counter(again)
        self._took, self._waited = Histogram(took, bounds=AGES), Histogram(waited, bounds=AGES)
        self.measures = Measures(instruments=(self._sent, self._again, self._took, self._waited))

    def sent(self, subject: str, *, error: str = "") -> None:
        """Count a message that was published, or was not: `error` names why."""
        self._sent.add((subject, error))

    def counted(self, stream: str, deliver: Deliver) -> Deliver:
        """Count what goes to `deliver`."""

        async def counted(message: Message) -> Verdict:
            began, verdict = perf_counter(), "error"
            self._waited.record(message.waited.total_seconds(), (stream,))
            if message.delivered > 1:
                self._again.add((stream,))
            try:
                answer = await deliver(message)
                verdict = type(answer).__name__.lower()
            finally:
                self._took.record(perf_counter() - began, (stream, verdict))
            return answer

        return counted
