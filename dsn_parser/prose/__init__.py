"""Bounces written for people: who is meant, and which of the words tell why."""
