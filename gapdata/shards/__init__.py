"""Samples as webdataset shards: encoding, writing, indexing, reading. Needs no build-side package."""
