"""contactsync.normalization.v1 on the wire."""

from collections.abc import Awaitable, Sequence
from typing import Final

from contactsync.normalization.v1 import normalization_service_pb2 as pb
from contactsync.normalization.v1 import normalization_service_pb2_grpc as pb_grpc
from grpc.aio import ServicerContext

from libs.rpc import Refusal as RefusedCall
from libs.rpc import Violation, serve_item
from services.normalization.domain import (
    EMAIL_SENTENCES,
    PHONE_SENTENCES,
    EmailColumns,
    PhoneColumns,
    Refusal,
)
from services.normalization.handler import Normalizer

_NORMALIZE = "contactsync.normalization.v1.NormalizationService/NormalizeMany"

DEFAULT_REGION: Final = "RU"


class NormalizationServer(pb_grpc.NormalizationServiceServicer):
    """Wire to texts, columns to wire."""

    def __init__(self, normalizer: Normalizer) -> None:
        self._normalizer = normalizer

    async def Normalize(
        self,
        request: pb.NormalizeRequest,
        context: ServicerContext[pb.NormalizeRequest, Awaitable[pb.NormalizeResponse]],
    ) -> pb.NormalizeResponse:
        """Refuses a default region without a numbering plan, under which no national number could be read."""
        region = request.default_region or DEFAULT_REGION
        if not self._normalizer.knows(region):
            raise _unknown_region(region)
        phones = await self._normalizer.phones(request.phones, default_region=region)
        emails = await self._normalizer.emails(request.emails)
        return pb.NormalizeResponse(
            phones=_phone_rows(request.phones, phones),
            emails=_email_rows(request.emails, emails),
            metadata_version=self._normalizer.metadata_version,
        )

    async def NormalizeMany(
        self,
        request: pb.NormalizeManyRequest,
        context: ServicerContext[pb.NormalizeManyRequest, Awaitable[pb.NormalizeManyResponse]],
    ) -> pb.NormalizeManyResponse:
        """Under a region without a numbering plan, national numbers are refused and international ones read."""
        results = [await self._normalize_item(item) for item in request.items]
        return pb.NormalizeManyResponse(results=results, metadata_version=self._normalizer.metadata_version)

    async def _normalize_item(self, item: pb.NormalizeItem) -> pb.NormalizeResult:
        with serve_item(item.context, "normalization.Normalize", method=_NORMALIZE):
            phones = await self._normalizer.phones(item.phones, default_region=item.default_region.upper())
            emails = await self._normalizer.emails(item.emails)
        return pb.NormalizeResult(
            e164=phones.e164,
            regions=phones.regions,
            decided_by=bytes(phones.decided_by),
            phone_refusals=bytes(phones.refusals),
            emails=emails.addresses,
            email_refusals=bytes(emails.refusals),
        )


def _phone_rows(texts: Sequence[str], columns: PhoneColumns) -> list[pb.NormalizedPhone]:
    rows = zip(texts, columns.e164, columns.regions, columns.decided_by, columns.refusals, strict=True)
    return [
        pb.NormalizedPhone(
            raw=raw,
            e164=e164,
            region=region,
            decided_by=pb.DecidedBy.ValueType(decided_by),
            refusal=pb.Refusal.ValueType(refusal),
            message=PHONE_SENTENCES[Refusal(refusal)] if refusal else "",
        )
        for raw, e164, region, decided_by, refusal in rows
    ]


def _email_rows(texts: Sequence[str], columns: EmailColumns) -> list[pb.NormalizedEmail]:
    return [
        pb.NormalizedEmail(
            raw=raw,
            email=address,
            refusal=pb.Refusal.ValueType(refusal),
            message=EMAIL_SENTENCES[Refusal(refusal)] if refusal else "",
        )
        for raw, address, refusal in zip(texts, columns.addresses, columns.refusals, strict=True)
    ]


def _unknown_region(region: str) -> RefusedCall:
    message = "must be a region with a telephone numbering plan, for example RU"
    return RefusedCall(
        "VALIDATION_ERROR",
        "The request is not valid.",
        violations=[Violation("/default_region", "unknown_region", message, region)],
    )
