"""The pages in Swedish, served whole and usable without script."""
