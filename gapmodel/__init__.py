"""Pre-training of geometry-aligned multimodal models on gapdata shards."""
