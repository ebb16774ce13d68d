"""The journeys as processes: killed, stopped and frozen at any time, with the receivers' own log as the oracle."""
