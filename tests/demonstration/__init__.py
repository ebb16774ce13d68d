"""The demo: what its judge finds, and one small run from beginning to end."""
