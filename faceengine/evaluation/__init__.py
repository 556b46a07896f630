"""Results judged by number."""
