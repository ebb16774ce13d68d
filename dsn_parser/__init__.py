"""Bytes in, verdicts out: reads what the world mails back and judges what it means; no network, no database, no clock."""
