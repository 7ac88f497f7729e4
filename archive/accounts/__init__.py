"""Who somebody is and what they may do: users, tokens, grants, and the one policy."""
