"""Real mail and name servers from Debian, on an island: a machine of their own, without a way out."""
