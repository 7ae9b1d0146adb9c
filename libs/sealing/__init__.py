"""Secrets at rest: sealed under the operator's master key, or hashed under the pepper when only compared."""

from libs.sealing.pepper import PepperedHash
from libs.sealing.seal import Seal, WrongKeyError

__all__ = ["PepperedHash", "Seal", "WrongKeyError"]
