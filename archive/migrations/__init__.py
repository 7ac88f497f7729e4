"""How the tables of all rooms came to be what they are, one step after another."""
