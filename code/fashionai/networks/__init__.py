"""The networks: layers, trunks, the stages of the convolutional pose machine, their weights and their frozen form."""
