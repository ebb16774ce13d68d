"""Tests of pace, limits and breaker."""
