"""Pretrain the base model that every training starts from, on synthetic people: see the README beside this file."""
