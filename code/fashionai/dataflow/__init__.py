"""From files to training batches, without TensorFlow: read, augment, encode, batch."""
