"""Marks on what leaves the studio, and a page that reads those of any file."""
