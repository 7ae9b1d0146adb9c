"""Every kind's sender, put together."""

from libs.egress import Outlet
from libs.rpc import Peer
from services.delivery.domain.destination import DestinationKind
from services.delivery.ports import Clock, Echoes
from services.delivery.sender.connect.sender import ConnectSender
from services.delivery.sender.directory import DirectorySender
from services.delivery.sender.dispatch import Senders
from services.delivery.sender.telecrm.sender import TelecrmSender
from services.delivery.sender.webhook import WebhookSender


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
