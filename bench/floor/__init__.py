"""The floors: the same statements in bare loops over the drivers, without any code of qsuper's.

That they are the same is held by a test: tests/unit/test_bench_floor.py.
"""
