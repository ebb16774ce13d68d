"""Tests are sentences; each room of the product has its room here."""
