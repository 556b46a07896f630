"""Conversion: a video of one person becomes the same video with the other person's face."""
