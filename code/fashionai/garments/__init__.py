"""Garment types: the garment table, tables in files, average shapes, lengths, and contradictions among lengths."""
