"""How a site is spoken to: its limits, its pace, and when its mail stops."""
