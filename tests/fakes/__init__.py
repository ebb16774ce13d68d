"""Fakes with mail names: a receiver and a name server that do as they are told."""
