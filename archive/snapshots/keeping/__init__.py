"""Where repositories lie: bundles in the object store, a cache on this disk that git runs in, copies for everybody."""
