"""From shards to packed batches."""
