"""Consent: nothing of a project moves before both of its people have agreed, and nothing stays when one withdraws."""
