"""The peer: a sum by MPyC's own arrays and transport, as its documentation has it. Run with MPyC's own options.

Each party inputs a vector, the sum is opened to all; party 0 writes the seconds, the bytes that it sent and the sum of
the result as its last line. Neither TLS, nor agreement, nor boxes are part of it.
"""

import asyncio
import os
import time


async def compute(length: int) -> None:
    """Make one sum of vectors of this length."""
    import numpy
    from mpyc.runtime import mpc  # type: ignore[import-untyped]  # MPyC has no types

    integers = mpc.SecInt(64)
    vector = numpy.arange(length, dtype=object) + mpc.pid
    await mpc.start()
    await mpc.transfer(None)  # all are there
    began = time.perf_counter()
    inputs = mpc.input(integers.array(vector))
    total = inputs[0]
    for other in inputs[1:]:
        total = total + other
    opened = await mpc.output(total)
    seconds = time.perf_counter() - began
    sent = sum(party.protocol.nbytes_sent for party in mpc.parties if party.pid != mpc.pid)
    await mpc.shutdown()
    if mpc.pid == 0:
        os.write(1, f"{seconds} {sent} {sum(map(int, opened))}\n".encode())


if __name__ == "__main__":
    asyncio.set_event_loop(asyncio.new_event_loop())
    from mpyc.runtime import mpc

    mpc.run(compute(int(os.environ["VECTOR_LENGTH"])))
