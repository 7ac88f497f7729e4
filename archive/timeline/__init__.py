"""One append-only history per dataset, the projections that follow it, and the jobs that always end."""
