"""The LLVM stage: from the text that Numba leaves to machine code for whole blocks of points.

`block.py` writes the loop round a function, `vectormath.py` knows the platform's library of vector maths, `stage.py`
optimises, generates code and loads it.
"""
