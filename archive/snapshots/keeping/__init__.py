"""The places of repositories: bundles in the object store, a cache on this disk that git runs in, open exports."""
