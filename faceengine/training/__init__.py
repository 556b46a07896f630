"""Training: losses, schedule, augmentation, checkpoints, previews, and the loop that ties them together."""
