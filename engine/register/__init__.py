"""The member register: associations, offices, cards, views and import."""
