"""Training runs, conversions and scores: what the studio asks the engine to do, and what it keeps of it."""
