"""When a message is tried again, and whose messages go first."""
