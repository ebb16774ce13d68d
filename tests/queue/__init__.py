"""The queue's tests."""
