"""Developer tools that the studio does not need at run time."""
