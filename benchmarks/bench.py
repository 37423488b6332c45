"""A PostgreSQL with the generated data, copies of it, and measurements in processes of their own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO, Any, cast

import psycopg


class Bench:
    """A PostgreSQL with the generated data, and copies of it to measure on."""

    def __init__(self, address: str) -> None:
        self.address = address

    def url(self, database: str) -> str:
        """The address of one database. Eight that start at once wait for one another longer than a request may."""
        head, _, query = self.address.partition("?")
        return f"{head.rpartition('/')[0]}/{database}?{query}&connect_timeout=60"

    def admin(self, statement: str) -> None:
        """Run a statement outside the measured databases."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    @contextmanager
    def copy(self) -> Iterator[str]:
        """A fresh copy of the data, gone afterwards."""
        self.admin("CREATE DATABASE bench_copy TEMPLATE bench_data STRATEGY FILE_COPY")
        try:
            yield self.url("bench_copy")
        finally:
            self.admin("DROP DATABASE bench_copy")

    def prepare(self, orders: int) -> None:
        """Make the data."""
        self.admin("DROP DATABASE IF EXISTS bench_data")
        self.admin("CREATE DATABASE bench_data")
        url = self.url("bench_data")
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity=0", "--skip-checks"],
            env=_environment(url),
            check=True,
        )
        measure(url, "data", str(orders))


def _environment(url: str) -> dict[str, str]:
    # A million orders are not made within what a request may take.
    kind = {"LOYALTY_ENV": "test", "LOYALTY_PROCESS": "command", "DJANGO_SETTINGS_MODULE": "loyalty.settings"}
    return os.environ | {"DATABASE_URL": url} | kind


def start(url: str, *arguments: str) -> "subprocess.Popen[str]":
    """Have a process get ready for one measurement."""
    command = [sys.executable, "-m", "benchmarks.measure", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=_environment(url), text=True, stdin=pipe, stdout=pipe)


def carry_out(*processes: "subprocess.Popen[str]") -> list[Any]:
    """The results of measurements that begin at once, when all are ready. Ends everything when one failed."""
    for process in processes:
        cast("IO[str]", process.stdout).readline()
    for process in processes:
        # Whoever has failed by now listens to nobody; that is seen below.
        with suppress(BrokenPipeError), cast("IO[str]", process.stdin) as told:
            told.write("\n")
    return [_finish(process) for process in processes]


def _finish(process: "subprocess.Popen[str]") -> Any:
    with cast("IO[str]", process.stdout) as said:
        output = said.read()
    if process.wait():
        sys.exit("A measurement failed.")
    return json.loads(output)


def measure(url: str, *arguments: str) -> Any:
    """Carry out one measurement."""
    (result,) = carry_out(start(url, *arguments))
    return result


def together(url: str, *commands: tuple[str, ...]) -> float:
    """Orders per second of several measurements that run at once."""
    return rate(carry_out(*(start(url, *command) for command in commands)))


def rate(results: list[Any]) -> float:
    """Orders per second of measurements that ran at once."""
    seconds = max(result["ended"] for result in results) - min(result["began"] for result in results)
    orders: int = sum(result["orders"] for result in results)
    return float(orders / seconds)


def ratios(runs: Mapping[str, Sequence[float]]) -> list[float]:
    """Ours against the reference, run by run."""
    return [ours / reference for ours, reference in zip(runs["ours"], runs["reference"], strict=True)]
