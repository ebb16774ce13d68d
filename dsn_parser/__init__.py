"""Bytes in, verdicts out: reads what the world mails back and judges it; no network, no database, no clock."""
