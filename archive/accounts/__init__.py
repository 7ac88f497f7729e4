"""Users, tokens, roles in datasets, and the one policy that decides who may do what."""
