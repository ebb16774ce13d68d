"""Whether returned mail is read and judged right, and hostile mail kept harmless."""
