"""`./run bench`: how fast we are, as ratios to hand-written SQL measured side by side in one run.

Prints one table: what, ours, reference, ratio, goal, met or not. Ends non-zero when something could not be measured,
never because a goal was missed. Absolute times prove nothing: look at the ratios.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.bench import Bench, measure, rate, ratios, together
from benchmarks.table import Row
from loyalty.embedded.layout import OWNER_ROLE
from loyalty.embedded.supervisor import throw_away_servers

FULL: Final = 1_000_000
QUICK: Final = 20_000
SIDES: Final = ("ours", "reference")


def cancel_one(bench: Bench, runs: int, count: int) -> Iterator[Row]:
    """One order at a time, by one caller and by eight."""
    times: dict[str, list[float]] = {"ours": [], "reference": []}
    rates: dict[str, list[float]] = {"ours": [], "reference": []}
    for _ in range(runs):
        with bench.copy() as url:
            for who, seconds in measure(url, "in_turns", str(count)).items():
                times[who].append(median(seconds))
        for who in SIDES:
            with bench.copy() as url:
                callers = [("one_by_one", who, str(part), "8", str(count // 4)) for part in range(8)]
                rates[who].append(together(url, *callers))
    p50 = {who: median(times[who]) * 1000 for who in SIDES}
    at_once = {who: median(rates[who]) for who in SIDES}
    yield Row(
        "cancel and return one order (2 + 2 lots), p50",
        f"{p50['ours']:.2f} ms",
        f"{p50['reference']:.2f} ms",
        p50["ours"] / p50["reference"],
        2,
        at_most=True,
        times=ratios(times),
    )
    yield Row(
        "the same at 8 callers, orders/s",
        f"{at_once['ours']:.0f}",
        f"{at_once['reference']:.0f}",
        at_once["ours"] / at_once["reference"],
        0.5,
        times=ratios(rates),
    )


def statements(bench: Bench) -> Iterator[Row]:
    """Statements of one batch."""
    with bench.copy() as url:
        counts = measure(url, "statements")
    for size, count in counts.items():
        yield Row(f"statements, batch of {size}", str(count), "", count, 10, at_most=True)


def sweep(bench: Bench, runs: int) -> Iterator[Row]:
    """The auto-cancel sweep against set-based SQL, with one worker and with two."""
    rates: dict[str, list[float]] = {"sweep_ours": [], "sweep_reference": [], "two": []}
    wal: dict[str, int] = {}
    longest: list[float] = []
    for _ in range(runs):
        for who in ("sweep_ours", "sweep_reference"):
            with bench.copy() as url:
                before = measure(url, "wal_position")["bytes"]
                result = measure(url, who)
                rates[who].append(rate([result]))
                longest.append(result.get("longest", 0))
                wal[who] = measure(url, "wal_position")["bytes"] - before
        with bench.copy() as url:
            rates["two"].append(together(url, ("sweep_ours",), ("sweep_ours",)))
    ours, reference, two = (median(rates[key]) for key in ("sweep_ours", "sweep_reference", "two"))
    against = {"ours": rates["sweep_ours"], "reference": rates["sweep_reference"]}
    yield Row(
        "auto-cancel sweep, one worker, orders/s",
        f"{ours:.0f}",
        f"{reference:.0f}",
        ours / reference,
        0.7,
        times=ratios(against),
    )
    at_once = ratios({"ours": rates["two"], "reference": rates["sweep_ours"]})
    yield Row("two workers against one, orders/s", f"{two:.0f}", f"{ours:.0f}", two / ours, 1.4, times=at_once)
    yield Row(
        "WAL of the sweep, MB",
        f"{wal['sweep_ours'] / 1e6:.0f}",
        f"{wal['sweep_reference'] / 1e6:.0f}",
        wal["sweep_ours"] / wal["sweep_reference"],
        1.15,
        at_most=True,
    )
    yield Row("longest transaction of the sweep, s", f"{max(longest):.2f} s", "", max(longest), 1, at_most=True)


def memory(bench: Bench, orders: int) -> Iterator[Row]:
    """The sweep's peak memory over all that is due, against a tenth of it."""
    with bench.copy() as url:
        all_of_it = measure(url, "sweep_ours")["peak_mb"]
    bench.prepare(orders // 10)
    with bench.copy() as url:
        a_tenth = measure(url, "sweep_ours")["peak_mb"]
    grown = all_of_it - a_tenth
    yield Row("memory of the sweep, growth in MB", f"{all_of_it:.0f} MB", f"{a_tenth:.0f} MB", grown, 12, at_most=True)


def exports(bench: Bench) -> Iterator[Row]:
    """Peak memory of exporting up to 100,000 orders with their lots, against a tenth of them."""
    for suffix in ("csv", "xlsx"):
        many, few = (measure(bench.url("bench_data"), "export", suffix, str(most)) for most in (100_000, 10_000))
        yield Row(
            f"memory of exporting {many['orders']:,} orders as {suffix}, MB",
            f"{many['peak_mb']:.0f} at {rate([many]):.0f}/s",
            f"{few['peak_mb']:.0f} MB",
            many["peak_mb"],
            200,
            at_most=True,
        )


def receipt(bench: Bench, runs: int, count: int) -> Iterator[Row]:
    """The receipt of webhooks beside a bare view with one INSERT."""
    sent: dict[str, list[float]] = {"ours": [], "reference": []}
    for _ in range(runs):
        with bench.copy() as url:
            measured = measure(url, "receipt", str(count * 5))
        for who in SIDES:
            sent[who].append(measured[who])
    ours, reference = median(sent["ours"]), median(sent["reference"])
    yield Row(
        "webhook receipt, requests/s", f"{ours:.0f}", f"{reference:.0f}", ours / reference, 0.6, times=ratios(sent)
    )


def coming_in(bench: Bench, runs: int, count: int) -> Iterator[Row]:
    """A file of ``count`` orders that is imported, and a backlog of a fifth as many webhooks."""
    rates: dict[str, list[float]] = {"ours": [], "reference": [], "singly": []}
    peaks: list[float] = []
    drained: list[float] = []
    longest: list[float] = []
    for _ in range(runs):
        with bench.copy() as url:
            all_of_it = measure(url, "import_file", "ours", str(count))
        with bench.copy() as url:
            reference = measure(url, "import_file", "reference", str(count))
        with bench.copy() as url:
            one_by_one = measure(url, "import_file", "singly", str(count // 20))
        with bench.copy() as url:
            backlog = measure(url, "backlog", str(count // 5))
        rates["ours"].append(rate([all_of_it]))
        rates["reference"].append(rate([reference]))
        rates["singly"].append(rate([one_by_one]))
        peaks.append(all_of_it["peak_mb"])
        drained.append(rate([backlog]))
        longest.append(backlog["longest"])
    ours, copied, singly = (median(rates[who]) for who in rates)
    what = f"importing {count:,} orders"
    yield Row(f"{what} beside COPY, rows/s", f"{ours:.0f}", f"{copied:.0f}", ours / copied, 0.6, times=ratios(rates))
    yield Row(f"{what} beside one by one, rows/s", f"{ours:.0f}", f"{singly:.0f}", ours / singly, 5)
    yield Row("memory of the import, MB", f"{max(peaks):.0f} MB", "", max(peaks), 200, at_most=True)
    yield Row(f"a backlog of {count // 5:,} webhooks, messages/s", f"{median(drained):.0f}", "", median(drained), 200)
    wait = max(longest)
    yield Row("the longest that another shop's message waited, s", f"{wait:.2f} s", "", wait, 5, at_most=True)


def moving_in(bench: Bench, runs: int, people: int) -> Iterator[Row]:
    """A file of ``people`` with three lots each: the whole command, upload and rehearsal included, beside COPY."""
    rates: dict[str, list[float]] = {"ours": [], "reference": []}
    peaks: list[float] = []
    seconds: list[float] = []
    for _ in range(runs):
        for who, measured in rates.items():
            with bench.copy() as url:
                result = measure(url, "import_balances", who, str(people))
            measured.append(rate([result]))
            if who == "ours":
                peaks.append(result["peak_mb"])
                seconds.append(result["ended"] - result["began"])
    ours, reference = median(rates["ours"]), median(rates["reference"])
    yield Row(f"importing {people * 3:,} lots, lots/s", f"{ours:.0f}", f"{reference:.0f}", ours / reference, 0.6)
    yield Row(f"the same for {people:,} people, s", f"{median(seconds):.0f} s", "", median(seconds), 90, at_most=True)
    yield Row("memory of importing balances, MB", f"{max(peaks):.0f} MB", "", max(peaks), 200, at_most=True)
    with bench.copy() as url:
        waits = measure(url, "beside_an_import", str(people // 5))
    beside, alone = waits["beside"], waits["alone"]
    what = "another store's requests during it, p95"
    yield Row(what, f"{beside:.1f} ms", f"{alone:.1f} ms", beside / alone, 1.3, at_most=True)


def lists(bench: Bench) -> Iterator[Row]:
    """Every filter and ordering of the order list, and long histories: the slowest value of each."""
    for what, times in measure(bench.url("bench_data"), "lists").items():
        middle = median(times)
        yield Row(f"{what}, ms in PostgreSQL", f"{middle:.1f}", "", middle, 15, at_most=True, times=times)


def beside_raw(bench: Bench) -> Iterator[Row]:
    """What lists and histories cost PostgreSQL beside queries by hand."""
    for what, times in measure(bench.url("bench_data"), "beside_raw").items():
        ours, reference = (f"{median(times[who]):.2f}" for who in SIDES)
        beside, goal = ratios(times), 1.5 if "page" in what else 2
        yield Row(f"{what}, ms", ours, reference, median(beside), goal, at_most=True, times=beside)


def answers(bench: Bench, runs: int, count: int) -> Iterator[Row]:
    """Answers of REST beside bare views, pages that staff open, and how soon value is back."""
    served: dict[str, dict[str, list[float]]] = {}
    waited: dict[str, list[float]] = {"ours": [], "told": [], "reference": []}
    for _ in range(runs):
        with bench.copy() as url:
            for what, rates in measure(url, "answers", str(count // 10)).items():
                for who, one in rates.items():
                    served.setdefault(what, {}).setdefault(who, []).append(one)
            pages = measure(url, "pages", "10")
            for who, seconds in measure(url, "latency", "20").items():
                waited[who].append(median(seconds))
    for what, (words, goal) in _SERVED.items():
        ours, reference = (median(served[what][who]) for who in SIDES)
        times = ratios(served[what])
        yield Row(f"REST {words}, requests/s", f"{ours:.0f}", f"{reference:.0f}", median(times), goal, times=times)
    for what, words in (("orders", "list page of Not Reverted"), ("dashboard", "dashboard, figures counted")):
        statements, middle = pages[what]["statements"], f"{pages[what]['ms']:.0f} ms"
        yield Row(f"{words}, statements", f"{statements}", middle, statements, _STATEMENTS[what], at_most=True)
    no_op = waited["reference"]
    for who, words, most in (
        ("ours", "from a failed payment to the balance, beside a no-op", 5),
        # Its receipt and another job come before.
        ("told", "from a webhook of it to the balance, beside a no-op", 10),
    ):
        took, times = waited[who], ratios({"ours": waited[who], "reference": no_op})
        ours, reference = f"{median(took) * 1000:.0f} ms", f"{median(no_op) * 1000:.0f} ms"
        yield Row(words, ours, reference, median(times), most, at_most=True, times=times)


_SERVED: Final = {
    "list": ("list of 50 beside a plain view", 0.6),
    "detail": ("one order beside a bare view", 0.5),
    "deep": ("page 1,000 beside page 1", 1 / 1.2),
}
_STATEMENTS: Final = {"orders": 15, "dashboard": 30}


def tenth(bench: Bench, whole: Mapping[str, float], count: int) -> Iterator[Row]:
    """What grows with the data: lines that were measured on the whole, on a tenth of it."""
    for row in (*cancel_one(bench, 1, count), *sweep(bench, 1), *answers(bench, 1, count), *lists(bench)):
        yield replace(row, what=f"a tenth: {row.what}", reference=f"whole {whole[row.what]:.2f}")


def run(bench: Bench, *, orders: int, runs: int, count: int, before: Mapping[str, float] | None) -> dict[str, float]:
    """Measure everything and print the table, a line as soon as it is known; answers the ratios by line."""
    print(f"Making {orders:,} orders …", file=sys.stderr)
    bench.prepare(orders)
    print(f"{'what':<58} {'ours':>14} {'reference':>14} {'ratio':>8} {'goal':>8} {'runs':>9}", flush=True)
    figures: dict[str, float] = {}
    for rows in (
        statements(bench),
        receipt(bench, runs, count),
        coming_in(bench, runs, 100_000 if orders >= FULL else 5_000),
        moving_in(bench, runs, 100_000 if orders >= FULL else 10_000),
        cancel_one(bench, runs, count),
        sweep(bench, runs),
        lists(bench),
        beside_raw(bench),
        exports(bench),
        answers(bench, runs, count),
        memory(bench, orders),
        # On the tenth that memory has made.
        tenth(bench, figures, count),
    ):
        for row in rows:
            figures[row.what] = row.ratio
            print(row if before is None else row.beside(before.get(row.what)), flush=True)
    return figures


def main() -> None:
    """Read the arguments, bring a database, measure."""
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK:,} orders and one run of each, in two minutes")
    parser.add_argument("--orders", type=int, help=f"how many orders (default {FULL:,})")
    parser.add_argument("--save", type=Path, metavar="NEW.json", help="keep the ratios in this file")
    parser.add_argument("--compare", type=Path, metavar="OLD.json", help="beside each line, what a saved run had")
    arguments = parser.parse_args()
    before = json.loads(arguments.compare.read_text()) if arguments.compare else None
    orders = arguments.orders or (QUICK if arguments.quick else FULL)
    runs, count = (1, 220) if arguments.quick else (3, 1020)
    with throw_away_servers(postgres=True, valkey=True) as layout:
        os.environ["REDIS_URL"] = layout.redis_url()
        bench = Bench(layout.database_url(role=OWNER_ROLE))
        figures = run(bench, orders=orders, runs=runs, count=count, before=before)
    if arguments.save:
        arguments.save.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
