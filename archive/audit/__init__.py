"""What was done, told from the timeline: events of assets, those of batches included."""
