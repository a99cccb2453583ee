"""Reports of shards and of their repetitions, put together: each input once."""
