"""Training: losses, towers over devices, and a session loop with hooks."""
