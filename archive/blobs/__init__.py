"""Bytes: uploads on their way in, and verified, immutable blobs."""
