"""Embargoes: what is kept from the public until it is released, by one row, and what follows a release."""
