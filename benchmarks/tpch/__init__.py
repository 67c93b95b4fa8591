"""TPC-H on the engines that the warehouse could have: the same files, a process for each query, answers compared.

Needs the bench group. Start at ``benchmarks/tpch/compare.py``.
"""
