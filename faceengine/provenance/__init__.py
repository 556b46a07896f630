"""Marks on everything that shows a swapped face: a label to see, metadata to read, a signature to check.

In this order: the label is drawn into the pictures before they are encoded, the metadata are written with them, and
the signature comes last, because whatever rewrites a file afterwards removes it. See docs/provenance.md.

Configs import from here in every process, so this module itself loads nothing.
"""
