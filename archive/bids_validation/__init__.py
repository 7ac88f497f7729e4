"""What the official BIDS validator says of drafts and versions: run on trees of true names and sizes, once for each."""
