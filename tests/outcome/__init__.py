"""The outcome's tests."""
