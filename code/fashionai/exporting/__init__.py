"""Exports frozen graphs to the formats of other engines, and measures the parity of every export."""
