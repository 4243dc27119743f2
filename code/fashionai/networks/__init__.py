"""The graphs of the networks: layers, backbones, stages of the convolutional pose machine, refine net, type head."""
