"""The pages: who may open what, and what a person sees and sends there."""
