"""All ratios as one table: against PyTorch, against micrograd, against upstream's published times, against plain code.

    python -m benchmarks                              # text; about ten minutes, most of them milestones
    python -m benchmarks --markdown --data FOLDER     # as docs/results.md has it; FOLDER holds mnist/
    python -m benchmarks --only forward systems       # these sections
    python -m benchmarks --full --data FOLDER         # 1998 on CIFAR-10, too: some minutes more
    python -m benchmarks --quick                      # tiny sizes: does it run at all?

Each section asks one of the scripts beside this file, in a process of its own, and makes rows of its JSON; a section
that cannot run says why below the table. The exit status is 1 where one failed.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import math
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import published  # noqa: E402 -- beside this file
from published import Published  # noqa: E402 -- beside this file
from ratios import FASTER, Row, duration, markdown, text  # noqa: E402 -- beside this file

sys.path.insert(0, str(HERE.parent))
from pytest_tinytorch.datasets import mnist  # noqa: E402 -- this repository's

UPSTREAM = "upstream TinyTorch"
Options = argparse.Namespace


class Missing(Exception):
    """A section has nothing to compare with; the text says why."""


class Failed(Exception):
    """A script ended with an error."""


def told(script: str, *arguments: str, options: Options, missed: bool = False) -> Any:
    """What a script says as JSON; with `missed`, also where it ended with status 1."""
    quick = ["--quick"] if options.quick and script not in {"milestones.py", "startup.py"} else []
    command = [sys.executable, "-X", "utf8", str(HERE / script), *arguments, "--json", *quick]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)  # noqa: S603 -- our own scripts
    if done.returncode and not (missed and done.returncode == 1 and done.stdout):
        last = (done.stderr.strip() or done.stdout.strip() or "no word").splitlines()[-1]
        raise Failed(f"{' '.join([script, *arguments])}: {last}")
    return json.loads(done.stdout)


# ---- beside PyTorch and micrograd -----------------------------------------------------------------------------


def against_pytorch(script: str, options: Options) -> list[dict[str, Any]]:
    """What a script says that compares with PyTorch."""
    found = told(script, options=options)
    if "skipped" in found:
        raise Missing(found["skipped"])
    rows: list[dict[str, Any]] = found["rows"]
    return rows


def beside_pytorch(row: dict[str, Any], module: str, aim: str, script: str) -> Row:
    """A row of a script, whose times are in microseconds."""
    return Row(
        module=module,
        what=row["operation"],
        size=row["size"],
        against="PyTorch",
        ours=duration(row["ours"] / 1e6),
        theirs=duration(row["pytorch"] / 1e6),
        ratio=row["ratio"],
        aim=aim,
        source=script,
    )


def forward(options: Options) -> Iterator[Row]:
    """Each operation once: the least and the highest ratio of its sizes, and the times of the largest."""
    homes = dict.fromkeys(("add", "mul", "exp", "sum", "matmul"), "01 tensor")
    homes |= {"Linear": "03 layers", "LayerNorm": "03 layers", "cross-entropy": "04 losses"}
    found = against_pytorch("forward.py", options)
    for what in dict.fromkeys(row["operation"] for row in found):
        same = [row for row in found if row["operation"] == what]
        ratios, largest = [row["ratio"] for row in same], max(same, key=lambda row: float(row["pytorch"]))
        row = beside_pytorch(largest, homes.get(what, "02 activations"), "1.2", "forward.py")
        sizes = f"{len(same)} sizes, up to {row.size}"
        yield replace(row, size=sizes, ratio=min(ratios), high=max(ratios))


def autograd(options: Options) -> Iterator[Row]:
    """Training steps beside PyTorch; one operation of the graph beside PyTorch and micrograd."""
    found = told("autograd.py", options=options)
    for row in found["steps"]:
        yield beside_pytorch(row, "05 autograd", "1", "autograd.py")
    ours, *others = found["operations"]
    for other in others:
        for key, what in {"record": "record one operation", "backward": "walk back over it"}.items():
            yield Row(
                module="05 autograd",
                what=what,
                size=f"a chain of {ours['operations']:,} single numbers",
                against=other["framework"],
                ours=duration(ours[key] / 1e6),
                theirs=duration(other[key] / 1e6),
                ratio=ours[key] / other[key],
                source="autograd.py",
            )


def optimizers(options: Options) -> Iterator[Row]:
    """A step of each rule."""
    for row in against_pytorch("optimizers.py", options):
        aim = "1" if row["operation"] in {"Adam", "AdamW"} else ""
        yield beside_pytorch(row, "06 optimizers", aim, "optimizers.py")


def networks(options: Options) -> Iterator[Row]:
    """Layers and steps of images and language; the convolution that upstream times, beside that, too."""
    homes = {"attention": "12 attention", "LayerNorm": "03 layers", "embedding": "11 embeddings"}
    homes |= {"GPT, AdamW": "13 transformers"}
    aims = {"Conv2d": "3", "MaxPool2d": "1", "BatchNorm2d": "1.5", "attention": "1"}
    aims |= {"LayerNorm": "3", "embedding": "5", "GPT, AdamW": "1.25", "CIFAR-10 step": "3"}
    for row in against_pytorch("networks.py", options):
        what = row["operation"]
        one = beside_pytorch(row, homes.get(what, "09 spatial"), aims.get(what, ""), "networks.py")
        yield one
        if what == "Conv2d, forward" and not options.quick:
            yield beside_upstream(one.module, one.ours, row["ours"] / 1e6, published.CONVOLUTION, one.source)


def loader(options: Options) -> Iterator[Row]:
    """Passes over the data beside plain slicing."""
    for row in told("loader.py", options=options)["rows"]:
        ahead = "prefetch" in row["name"]
        yield Row(
            module="08 dataloader",
            what=row["name"],
            size="a pass",
            against="prefetch=0" if ahead else "slicing by hand",
            ours=duration(row["ours"] / 1e3),
            theirs=duration(row["plain"] / 1e3),
            ratio=row["ratio"],
            source="loader.py",
        )


def scaling(options: Options) -> Iterator[Row]:
    """The largest attention and convolution, and with which power they grow."""
    modules = {"attention": "12 attention", "convolution": "09 spatial"}
    for each in told("scaling.py", options=options):
        last = each["points"][-1]
        if math.isnan(last["pytorch"]):
            raise Missing("PyTorch is not installed: scaling.py has nothing to compare with")
        yield Row(
            module=modules[each["name"]],
            what=f"{each['name']}, the largest",
            size=f"{last['size']:,} {each['across']}",
            against="PyTorch",
            ours=duration(last["ours"]),
            theirs=duration(last["pytorch"]),
            ratio=last["ours"] / last["pytorch"],
            source="scaling.py",
        )


# ---- modules 14 to 20 -------------------------------------------------------------------------------------------


def systems(options: Options) -> Iterator[Row]:
    """What the optimisation modules gain."""
    data = ["--data", str(options.data)] if options.data else []
    for row in told("systems.py", *data, options=options)["rows"]:
        yield Row(**row)


def generation(options: Options) -> Iterator[Row]:
    """Texts with a cache of keys and values, beside texts without."""
    rows = told("generation.py", options=options)["rows"]
    for row in rows:
        yield Row(
            module="17 memoization",
            what="generate_cached",
            size=f"{row['tokens']} tokens, 4 layers of 128",
            against="generate",
            ours=duration(row["cached"]),
            theirs=duration(row["generate"]),
            ratio=row["ratio"],
            reading=FASTER,
            aim="8" if row["tokens"] == 256 else "",
            source="generation.py",
        )


# ---- milestones, and what verifying costs -------------------------------------------------------------------------


def milestones(options: Options) -> Iterator[Row]:
    """Milestones for which upstream publishes a time, one seed each."""
    wanted = [("1986", False, published.DIGITS), ("1998", False, published.SMALL_IMAGES)]
    wanted += [("2017", False, published.LANGUAGE)]
    if options.data:
        wanted.insert(1, ("1986", True, published.MNIST))
    if options.full:
        wanted.append(("1998", True, published.PHOTOGRAPHS))
    for year, full, theirs in wanted[: 1 if options.quick else None]:
        data = ["--data", str(options.data)] if options.data else []
        asked = [year, "--seeds", "0", *data, *(["--full"] if full else [])]
        (row,) = told("milestones.py", *asked, options=options, missed=True)["rows"]
        if not row["reached"]:
            raise Failed(f"milestone {year}: {row['outcome']}: {row['why']}")
        reached = row["reached"] if year == "2017" else row["reached"][-1:] if year == "1998" else row["reached"][:1]
        ours = f"{duration(row['wall'])}, {', '.join(reached)}"
        if theirs is published.MNIST:
            ours += f", of {len(mnist(options.data, download=False).train_labels):,} digits"
        yield beside_upstream(f"milestone {year}", ours, row["wall"], theirs, "milestones.py")


def beside_upstream(module: str, ours: str, seconds: float, theirs: Published, script: str) -> Row:
    """A time of ours beside one that upstream publishes, from its lower to its upper end."""
    return Row(
        module=module,
        what=theirs.what,
        size="",
        against=UPSTREAM,
        ours=ours,
        theirs=theirs.figure,
        ratio=theirs.low / seconds,
        high=theirs.high / seconds,
        reading=FASTER,
        source=f"{script}; {theirs.source}",
    )


def startup(options: Options) -> Iterator[Row]:
    """Whole processes beside a bare pytest run."""
    rounds = ["--rounds", "1"] if options.quick else []
    runs = {"1": (("2", "4"), rounds)} | ({} if options.quick else {"all": (("60 s", "120 s"), ["--all"])})
    for checkpoint, (aims, arguments) in runs.items():
        found = told("startup.py", *arguments, options=options)
        for label, aim in zip(("in this process", "isolated"), aims, strict=True):
            yield Row(
                module="",
                what=f"pytest --checkpoint {checkpoint}",
                size=label,
                against="a bare pytest run",
                ours=duration(found[label]["seconds"]),
                theirs=duration(found["bare pytest"]["seconds"]),
                ratio=found[label]["ratio"],
                aim=aim,
                source="startup.py",
            )


# ---- the command line -------------------------------------------------------------------------------------------

SECTIONS = (
    forward,
    autograd,
    optimizers,
    loader,
    networks,
    scaling,
    generation,
    systems,
    milestones,
    startup,
)


def gathered(options: Options) -> tuple[list[Row], list[str], bool]:
    """All rows, sentences about what is missing, and whether something failed."""
    rows, notes, failed = list[Row](), list[str](), False
    for section in SECTIONS:
        if section.__name__ not in options.only:
            continue
        began = time.perf_counter()
        try:
            rows.extend(section(options))
        except Missing as why:
            notes.append(f"{section.__name__}: {why}")
        except Failed as why:
            notes.append(f"{section.__name__} failed: {why}")
            failed = True
        print(f"{section.__name__}: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    if {"systems", "milestones"} & set(options.only) and not options.data:
        notes.append("Rows of MNIST were left out: --data FOLDER names the folder that holds mnist/.")
    if "milestones" in options.only and not options.full:
        notes.append("1998 on CIFAR-10 was left out: --full runs it.")
    return rows, notes, failed


def processor() -> str:
    """The processor's name, as the system tells it."""
    told_of = Path("/proc/cpuinfo")
    lines = told_of.read_text("utf-8", "replace").splitlines() if told_of.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown processor"


def setting() -> str:
    """What the figures depend on."""
    known = [
        processor(),
        f"{platform.system()} {platform.machine()}",
        f"{os.cpu_count()} cores",
        f"Python {platform.python_version()}",
    ]
    libraries = [name for name in ("numpy", "torch", "micrograd", "pytest") if importlib.util.find_spec(name)]
    known += [f"{name} {importlib.metadata.version(name)}" for name in libraries]
    return ", ".join(known)


def main(arguments: list[str] | None = None) -> int:
    """The command line; the result is the exit status: 1 where a section failed."""
    names = [section.__name__ for section in SECTIONS]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="All ratios as one table.")
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="these sections")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="the folder that holds mnist/ and CIFAR-10")
    parser.add_argument("--full", action="store_true", help="1998 on CIFAR-10, too")
    parser.add_argument("--quick", action="store_true", help="tiny sizes and few rounds")
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--markdown", action="store_true", help="print a table of Markdown")
    shape.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    rows, notes, failed = gathered(options)
    if options.json:
        told_of = {"setting": setting(), "notes": notes, "rows": [asdict(row) for row in rows]}
        print(json.dumps(told_of, indent=1))
    else:
        print(f"{setting()}\n\n{markdown(rows) if options.markdown else text(rows)}")
        print("".join(f"\n{note}\n" for note in notes), end="")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
