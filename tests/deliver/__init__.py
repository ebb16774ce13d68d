"""Tests of the conversation with receivers."""
