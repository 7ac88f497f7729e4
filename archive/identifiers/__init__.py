"""One number, many names: DANDI identifiers, DOIs, version names, and the sequences numbers come from."""
