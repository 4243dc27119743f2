"""Training: the losses, one tower per device, and a session loop with hooks."""
