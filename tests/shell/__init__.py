"""`brevduva` at a shell."""
