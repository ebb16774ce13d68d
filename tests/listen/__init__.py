"""Whether the open port takes what is ours, refuses all else, stands what strangers do to it, and loses nothing."""
