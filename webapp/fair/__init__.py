"""Turns: costly work is done for a few at a time, and nobody takes all of them.

``turns.py`` has the mechanism, ``limits.py`` each use with its figures, ``middleware.py`` the answer to whoever has to
come again.
"""
