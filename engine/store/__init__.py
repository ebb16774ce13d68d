"""All SQL, and nothing else: a file per noun."""
