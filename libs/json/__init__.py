"""JSON from outside: RFC 8259 exactly, every name once, nothing in it that a database or a receiver could not hold."""

from libs.json.faults import ENOUGH, Fault, UnfitJsonError
from libs.json.text import MAXIMUM_DEPTH, Parsed, canonical_of, parse, tree_of

__all__ = ["ENOUGH", "MAXIMUM_DEPTH", "Fault", "Parsed", "UnfitJsonError", "canonical_of", "parse", "tree_of"]
