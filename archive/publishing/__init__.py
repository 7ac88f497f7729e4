"""What spans rooms: validation of drafts, publishing, manifests."""
