"""Tests of the way to a domain's hosts."""
