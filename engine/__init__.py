"""The delivery engine: from a member register to every member's answer."""
