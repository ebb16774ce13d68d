"""Mail handed over: one SMTP conversation, the pool of them, and how wide a failure is."""
