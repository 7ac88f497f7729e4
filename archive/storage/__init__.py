"""The object store: its verbs, and who may read what without a signature. The only room that talks S3."""
