"""How late timers fire, beside a bare ZSET poller; how fast a crowd of them becomes ready."""
