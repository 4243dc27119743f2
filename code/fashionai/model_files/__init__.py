"""Files of models: contracts, checkpoints, initial weights, frozen graphs, and which file serves a garment type."""
