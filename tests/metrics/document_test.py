"""docs/metrics.md lists what a scrape has: every family with its type, labels and meaning, and nothing else.
usage: document_test.py its-camera-ai docs/metrics.md [--write]; with --write the table is made anew."""
import pathlib
import sys

import scrape

BEGIN, END = "<!-- families: begin -->\n", "<!-- families: end -->\n"
LISTED = 8  # values of a label that are written out; more are only counted
SUFFIX = {"counter": "_total", "info": "_info"}


def labels_of(family):
    values = {}
    for sample in family.samples:
        for label, value in sample.labels.items():
            if label != "le":
                values.setdefault(label, {})[value] = None  # in the order of the scrape
    return values


def cell(label, values):
    if label in ("camera", "group", "version"):
        return f"`{label}`"
    return f"`{label}`: {', '.join(values) if len(values) <= LISTED else f'{len(values)} values'}"


def table(families):
    rows = ["| name | type | labels | there | meaning |\n", "|---|---|---|---|---|\n"]
    for family in families.values():
        labels = labels_of(family)
        unit = f", {family.unit}" if family.unit else ""
        rows.append(f"| `{family.name}{SUFFIX.get(family.type, '')}` | {family.type}{unit} | "
                    f"{'; '.join(cell(*item) for item in labels.items())} | "
                    f"{'with its camera' if 'camera' in labels else 'always'} | {family.documentation} |\n")
    return "".join(rows)


def main(binary, path, write=None):
    with scrape.Daemon(binary, "--camera", "a=null://?fps=25", "--set", "redis_url=redis://127.0.0.1:1") as daemon:
        scrape.until(lambda: ("its_camera_latency_seconds", (("camera", "a"),)) in scrape.samples(daemon.text()))
        wanted = table(scrape.families(daemon.openmetrics()))
    document = pathlib.Path(path)
    text = document.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    there, after = rest.split(END)
    if write == "--write":
        document.write_text(before + BEGIN + wanted + END + after, encoding="utf-8")
        return 0
    for line in sorted(set(wanted.splitlines()) ^ set(there.splitlines())):
        print("missing:" if line in wanted else "not so: ", line)
    if wanted != there:
        print(f"make it anew: {sys.argv[0]} {binary} {path} --write")
    return wanted != there


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
