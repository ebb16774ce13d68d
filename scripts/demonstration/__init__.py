"""The main job from beginning to end in the internet in a box, and a judge who knows how it should have ended."""
