"""Frozen graphs in the formats of other engines, each with its parity measured."""
