"""The domain: datasets, their versions and assets. Knows no HTTP; `dandiapi` gives it faces."""
