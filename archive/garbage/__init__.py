"""What nothing needs any more: found, taken away, given back for a while, and only then deleted from the store."""
