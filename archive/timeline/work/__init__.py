"""Work that follows the timeline: projections with a cursor, jobs with a deadline, and the leases of both."""
