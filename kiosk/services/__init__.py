"""Where real objects are put together: a module a process. Each loads what its own process needs, and no more."""
