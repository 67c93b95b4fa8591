"""The parts that ``controlroom doctor`` looks at, one module each; every check returns what is so, or raises ``Fault``."""
