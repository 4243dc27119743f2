"""Reads other data sets into FashionAI's folders and CSV files, and writes our labels in the COCO format."""
