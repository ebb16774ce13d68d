"""The listener on port 25: takes in what comes back, refuses all else, and says 250 only to what is synced."""
