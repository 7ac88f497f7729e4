"""Users, tokens, what they are granted, and the one policy that decides who may do what."""
