"""The backbones: each module turns the normalised image into features at strides 8 and 4."""
