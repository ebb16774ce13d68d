"""The internet in a box: DNS, mail exchangers with characters and the people behind them, all on loopback."""
