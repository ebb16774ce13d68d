"""What an answer or a report changes: message, card, suppression and waiting mail, in one transaction."""
