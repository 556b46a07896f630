"""Render synthetic people for pretraining a face-swap base model. See README.md."""
