"""The protocol over many simulated streams: suites, seeds, ours and peers, in worker processes."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import asdict
from multiprocessing import get_context
from typing import Final, NamedTuple

from anomaly.evaluate import OURS, evaluate, evaluate_peers
from anomaly.simulate import simulate

_CLIENTS: Final = 380


class Task(NamedTuple):
    """One detector on one simulated stream."""

    suite: str
    seed: int
    detector: str
    clients: int = _CLIENTS
    days: float = 1.0


class Outcome(NamedTuple):
    """What came of a task: the members of a `Quality`, and its worst kind, by name."""

    suite: str
    seed: int
    detector: str
    quality: dict[str, object]


def perform(task: Task) -> Outcome:
    """Simulate a stream and run a detector over it.

    Raises:
        EventError: there is no such suite, or too few clients.
        LibraryMissing: the detector needs one of the extra `behavior`.
    """
    rows = simulate(task.suite, task.seed, clients=task.clients, days=task.days)
    if task.detector == OURS:
        quality = evaluate(rows)
    else:
        quality = evaluate_peers(rows, (task.detector,))[task.detector]
    return Outcome(task.suite, task.seed, task.detector, asdict(quality) | {"worst": quality.worst})


def run(tasks: Sequence[Task], jobs: int, done: Callable[[Outcome], None]) -> list[Outcome]:
    """Perform tasks, `jobs` at a time; the outcomes come in the order of the tasks.

    With one job everything happens in this process. Fresh processes otherwise, not forks: none shares our state.

    Args:
        tasks: what to do.
        jobs: processes.
        done: called after each task, in the order in which they end.
    """
    if jobs <= 1 or len(tasks) <= 1:
        return list(_one_by_one(tasks, done))
    outcomes: dict[Task, Outcome] = {}
    with ProcessPoolExecutor(min(jobs, len(tasks)), mp_context=get_context("spawn")) as pool:
        waiting: set[Future[Outcome]] = set()
        names = {}
        try:
            for task in tasks:
                future = pool.submit(perform, task)
                names[future] = task
                waiting.add(future)
            while waiting:
                ended, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in ended:
                    outcomes[names[future]] = future.result()
                    done(future.result())
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [outcomes[task] for task in tasks]


def _one_by_one(tasks: Sequence[Task], done: Callable[[Outcome], None]) -> Iterator[Outcome]:
    for task in tasks:
        outcome = perform(task)
        done(outcome)
        yield outcome
