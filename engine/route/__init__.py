"""The way to a domain: its mail exchangers in order, whose they are, and what may be connected to."""
