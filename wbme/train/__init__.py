"""Training of the student: batches from a pair set, losses, checkpoints, the loop."""
