"""Projects: person A, person B, who may do what, and what was done."""
