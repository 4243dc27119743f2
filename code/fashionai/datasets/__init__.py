"""Data sets of others brought into the tree and the CSV form of FashionAI, and ours written in a form of others."""
