"""Tickets for leads that wait."""

from services.directory.publisher.relay import IntakeRelay, IntakeSweeper

__all__ = ["IntakeRelay", "IntakeSweeper"]
