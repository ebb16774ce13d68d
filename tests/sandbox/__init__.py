"""The internet in a box: what it answers, what its mailboxes do, and when."""
