"""Makes training batches from files, without TensorFlow: reads, augments, encodes, batches."""
