"""What the code takes as given: the words, the settings, and knowledge kept as data."""
