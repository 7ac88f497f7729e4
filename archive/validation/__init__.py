"""What metadata must say: its computed form, its problems, and its summary. Pure: touches no row."""
