"""What the page says of the machine, the sources, and how to measure again."""

import shlex

from experiments.result import Environment, Result


def environment_rows(environment: Environment) -> list[tuple[str, str]]:
    """List where and with what a run measured, as names and values."""
    clock = "unknown" if environment.hertz is None else f"{environment.hertz / 1e9:.2f} GHz, nominal"
    rows = [
        ("CPU", f"{environment.cpu}, {environment.cores} cores"),
        ("Clock", clock),
        ("Governor", environment.governor or "not shown by this system"),
        ("Memory", f"{environment.memory_bytes / 2**30:.1f} GiB"),
        ("System", environment.system),
        ("Python", environment.python),
        ("Native libraries and servers", _versions(environment.native)),
        ("Python libraries", _versions(environment.libraries)),
        ("Sources", _sources(environment)),
        ("Load before", f"{environment.load_before:.2f}"),
    ]
    if len(environment.load_during) == 2:
        rows.append(("Load during", "median {:.2f}, maximum {:.2f}".format(*environment.load_during)))
    if environment.pinned:
        rows.append(("Cores", ", ".join(f"{what} on core {core}" for what, core in environment.pinned.items())))
    rows.append(("CPU flags", " ".join(environment.cpu_flags)))
    return rows


def reproduction(result: Result) -> list[str]:
    """Give the commands that measure the same again: a checkout, liboqs if it took part, and the run.

    Experiments from files outside the product (`--from`) are not known by their names: then it is the command of the
    run, without the folder that its result went to.
    """
    run = ["secure-api", "experiments", "run", *(one.name for one in result.experiments), f"--{result.scale}"]
    if files := _from_files(result.command):
        run = files + ([] if {"--full", "--quick"} & {*files} else [f"--{result.scale}"])
    if not any(word.partition("=")[0] == "--seed" for word in run):
        run += ["--seed", str(result.seed)]
    checkout = [] if result.environment.revision is None else [f"git checkout {result.environment.revision}"]
    version = result.environment.native.get("liboqs")
    library = [] if version is None else [f"export OQS_INSTALL_PATH=...  # the folder of liboqs {version}"]
    return [*checkout, 'pip install ".[experiments]"', *library, shlex.join(run)]


def _from_files(command: str) -> list[str]:
    """Give the words of a command that measures files, without where its result goes; none of any other command."""
    try:
        words = iter(shlex.split(command))
    except ValueError:  # it was changed by hand
        return []
    kept = []
    for word in words:
        option, given, _ = word.partition("=")
        if option not in ("--output", "-o"):
            kept.append(word)
        elif not given:
            next(words, None)
    return kept if any(word.partition("=")[0] == "--from" for word in kept) else []


def warnings(result: Result) -> list[str]:
    """List what makes the figures less sure, the gravest first; of single experiments only that they have any."""
    found = []
    if result.scale == "quick":
        found.append("A quick run: it shows that everything works. Its figures are not for quoting; a full run's are.")
    if result.environment.dirty:
        found.append("The sources had changes that no revision holds: this run cannot be repeated exactly.")
    if result.environment.revision is None:
        found.append("The sources were no checkout: their revision is not known.")
    found += result.warnings
    if own := [one.name for one in result.experiments if one.warnings]:
        found.append(f"Some experiments have warnings of their own, shown with them: {', '.join(own)}.")
    return [f"{warning[:1].upper()}{warning[1:]}" for warning in found]


def _versions(versions: dict[str, str]) -> str:
    """List versions by name; some libraries say their name themselves."""
    told = (v if v.startswith(f"{name} ") else f"{name} {v}" for name, v in sorted(versions.items()))
    return ", ".join(told) or "none"


def _sources(environment: Environment) -> str:
    if environment.revision is None:
        return "no checkout"
    return environment.revision + {None: "", True: ", with changes", False: ", unchanged"}[environment.dirty]
