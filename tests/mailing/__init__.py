"""Confirmation requests and mailings, from draft to queue."""
