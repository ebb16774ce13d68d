"""Webhooks: programs of the associations on loopback, which take what they are told, or do not."""
