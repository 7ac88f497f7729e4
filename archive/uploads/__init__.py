"""Uploads of many files, one by one, that go into a draft together once all of them have come."""
