"""The member register, from addresses to imported files."""
