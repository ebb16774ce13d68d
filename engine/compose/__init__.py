"""From a mailing and a member to the signed bytes of one mail."""
