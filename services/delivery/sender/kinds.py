"""Every kind's sender, put together."""

from libs.egress import Outlet
from libs.rpc import Peer
from services.delivery.domain.destination import DestinationKind
from services.delivery.ports import Clock, Echoes
from services.delivery.sender.connect.sender import ConnectSender
from services.delivery.sender.directory import DirectorySender
from services.delivery.sender.dispatch import Senders
from services.delivery.sender.rehearsal import NoEchoes, SenderRehearsal
from services.delivery.sender.telecrm.sender import TelecrmSender
from services.delivery.sender.webhook import WebhookSender


def rehearsal(outlet: Outlet, *, clock: Clock) -> SenderRehearsal:
    """Give what shows what the senders would send. What was written before is not asked, nothing is remembered."""
    return SenderRehearsal(
        outlet,
        {
            DestinationKind.WEBHOOK: lambda dry: WebhookSender(dry, clock=clock),
            DestinationKind.TELECRM: lambda dry: TelecrmSender(dry, clock=clock, echoes=NoEchoes()),
            DestinationKind.CONNECT: lambda dry: ConnectSender(dry, clock=clock, echoes=NoEchoes()),
        },
    )


def all_kinds(outlet: Outlet, *, directory: Peer, clock: Clock, echoes: Echoes) -> Senders:
    """Give the one sender that knows them all. All but the contact book's go out through the outlet."""
    return Senders(
        {
            DestinationKind.DIRECTORY: DirectorySender(directory),
            DestinationKind.WEBHOOK: WebhookSender(outlet, clock=clock),
            DestinationKind.TELECRM: TelecrmSender(outlet, clock=clock, echoes=echoes),
            DestinationKind.CONNECT: ConnectSender(outlet, clock=clock, echoes=echoes),
        }
    )
