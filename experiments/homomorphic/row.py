"""What a contributor has: numbers within the bounds of the experiment."""

import numpy
from numpy.typing import NDArray

LOW, HIGH = -100.0, 100.0
Row = NDArray[numpy.float64]
