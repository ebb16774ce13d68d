"""What is sent to members: confirmation requests and mailings, written, previewed, sent and followed."""
