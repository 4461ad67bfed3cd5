#!/usr/bin/env python3
"""All figures of the model card: rendered frames, real clips and cost at the input sizes of the five quality levels.

usage: figures.py MODEL --reference FILE --frames DIR [--int8 FILE] [--json FILE] [--card FILE]
       figures.py --from FILE [--card FILE]

Writes one JSON and the tables in Markdown, to the screen or into the card: there a table NAME goes between the lines
"<!-- figures: NAME -->" and "<!-- end -->". With --from the figures are read instead of measured.
"""

import argparse
import hashlib
import json
import pathlib
import re

import clips
import evaluate_real
import evaluate_rendered
from detector import Detector
from sizes import LEVELS, name as size_name


def measure(given):
    """The figures as they are written to JSON."""
    import evaluate_cost

    frames = evaluate_rendered.Frames(given.frames, given.limit)
    reference = Detector(given.reference)
    models = {"float": Detector(given.model)}
    if given.int8:
        models["int8"] = Detector(given.int8, engine="openvino")
    levels = {}
    for level, size in LEVELS.items():
        levels[level] = {"size": size_name(size)}
        for kind, model in models.items():
            print(f"{level}, {kind}", flush=True)
            levels[level][kind] = {
                "rendered": evaluate_rendered.evaluate(model, frames, size),
                "real": evaluate_real.evaluate(model, reference, given.clips, size, given.every, given.cache)}
    print("cost", flush=True)
    cost = evaluate_cost.evaluate(given.model, given.reference, list(LEVELS.values()), given.int8, given.rounds)
    files = {kind: describe_file(model.path) for kind, model in models.items()}
    return {"files": files, "every": given.every, "levels": levels, "cost": cost}


def describe_file(path):
    data = pathlib.Path(path).read_bytes()
    return {"name": pathlib.Path(path).name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def table(head, rows):
    """Markdown; the first column is text, the others are figures."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def number(value, digits=3):
    return "-" if value is None or value != value else f"{value:.{digits}f}"


def levels_table(figures):
    head = ["level", "input", "rendered mAP50", "mAP50-95", "clear: mAP50",
            f"real clips: recall at precision {evaluate_real.PRECISION:.2f}", "at threshold", "AP50", "best F1"]
    rows = []
    for level, entry in figures["levels"].items():
        rendered, real = entry["float"]["rendered"], entry["float"]["real"]["required"]["pooled"]
        rows.append([level, entry["size"], number(rendered["map50"]), number(rendered["map50_95"]),
                     number(rendered["clear"]["map50"]),
                     number(real["recall_at_pooled_precision"]), number(real["threshold_there"]), number(real["ap50"]),
                     number(real["best_f1"])])
    return table(head, rows)


def classes_table(figures):
    """Rendered frames at the full level, class by class."""
    rendered = figures["levels"]["full"]["float"]["rendered"]
    rows = []
    for name, row in rendered["classes"].items():
        clear = rendered["clear"]["classes"].get(name, {"boxes": 0, "map50": None, "map50_95": None})
        rows.append([name] + [cell for half in (row, clear) for cell in (
            str(half["boxes"]), number(half["map50"]), number(half["map50_95"]))])
    rows.append(["mean"] + [cell for half in (rendered, rendered["clear"]) for cell in (
        str(sum(row["boxes"] for row in half["classes"].values())), number(half["map50"]), number(half["map50_95"]))])
    return table(["class", f"boxes in {rendered['frames']} frames", "mAP50", "mAP50-95",
                  "clear: boxes", "mAP50", "mAP50-95"], rows)


def clips_table(figures):
    """Real clips at the full level: the required reading, then the one without the reference's unsure boxes."""
    real = figures["levels"]["full"]["float"]["real"]
    head = ["clip", "frames", "true boxes", "recall", "precision", "AP50", "best F1",
            f"at {evaluate_real.CONFIDENCE}: recall", "precision", "unsure ignored: recall", "AP50"]
    rows = [clip_row(name, row, real["doubt_ignored"][name]) for name, row in real["required"].items()]
    rows += [clip_row(f"{clips.STREET_CLIP}: {name}", row, None) for name, row in real.get("street", {}).items()]
    return table(head, rows)


def clip_row(name, row, ignoring):
    return [name, str(row["frames"]), str(row["true_boxes"]), number(row["recall_at_pooled_precision"]),
            number(row["precision_there"]), number(row["ap50"]), number(row["best_f1"]),
            number(row["recall_at_confidence"]), number(row["precision_at_confidence"]),
            number(ignoring and ignoring["recall_at_pooled_precision"]), number(ignoring and ignoring["ap50"])]


def cost_table(figures):
    """Milliseconds a picture, and ratios with their extremes."""
    cost = figures["cost"]
    first = next(iter(cost["sizes"].values()))
    labels = list(first["elapsed_ms"])
    head = ["level", "input", *(f"{label}, ms" for label in labels),
            *(f"{ratio['of']} / {ratio['to']}, processor time" for ratio in first["ratios"])]
    rows = []
    for level, entry in figures["levels"].items():
        size = cost["sizes"][entry["size"]]
        rows.append([level, entry["size"], *(number(size["elapsed_ms"][label]["median"], 1) for label in labels),
                     *("{median:.2f} ({least:.2f}..{most:.2f})".format(**ratio["processor"])
                       for ratio in size["ratios"])])
    return table(head, rows) + f"\n{cost['machine']}; one picture at a time.\n"


def int8_table(figures):
    """What the quantised file loses."""
    head = ["level", "input", "rendered mAP50: float", "int8", "change", "real clips, recall: float", "int8",
            "AP50: float", "int8"]
    rows = []
    for level, entry in figures["levels"].items():
        kinds = [entry["float"], entry["int8"]]
        maps = [kind["rendered"]["map50"] for kind in kinds]
        real = [kind["real"]["required"]["pooled"] for kind in kinds]
        rows.append([level, entry["size"], *map(number, maps),
                     f"{100 * (maps[1] / maps[0] - 1):+.1f} %" if maps[0] else "-",
                     *(number(pooled["recall_at_pooled_precision"]) for pooled in real),
                     *(number(pooled["ap50"]) for pooled in real)])
    return table(head, rows)


def tables(figures):
    """{name: Markdown}"""
    made = {"levels": levels_table(figures), "classes": classes_table(figures), "clips": clips_table(figures),
            "cost": cost_table(figures)}
    if all("int8" in entry for entry in figures["levels"].values()):
        made["int8"] = int8_table(figures)
    return made


def insert(card, made):
    """The card's text with its tables replaced; a name that is no table is an error."""
    def replace(found):
        if found[1] not in made:
            raise ValueError(f"no table '{found[1]}'; there are {', '.join(made)}")
        return f"<!-- figures: {found[1]} -->\n{made[found[1]]}<!-- end -->"

    return re.sub(r"<!-- figures: (\w+) -->\n.*?<!-- end -->", replace, card, flags=re.DOTALL)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?")
    parser.add_argument("--from", dest="source", help="figures measured before")
    parser.add_argument("--reference", default=clips.DATA / "models" / "yolo11n.onnx")
    parser.add_argument("--int8", help="the quantised form of MODEL")
    parser.add_argument("--frames", help="folder of held-out *.frames")
    parser.add_argument("--limit", type=int, help="that many rendered frames, spread evenly")
    parser.add_argument("--clips", default=clips.DATA / "videos", help="folder of the real clips")
    parser.add_argument("--every", type=int, default=5, help="every k-th frame of a clip")
    parser.add_argument("--cache", default=clips.CACHE, help="folder for decoded frames and reference boxes")
    parser.add_argument("--rounds", type=int, default=9, help="rounds of the cost measurement")
    parser.add_argument("--json", help="write the figures here")
    parser.add_argument("--card", help="put the tables into this file")
    given = parser.parse_args()
    if given.source:
        figures = json.loads(pathlib.Path(given.source).read_text())
    elif given.model and given.frames:
        figures = measure(given)
    else:
        parser.error("MODEL and --frames, or --from")
    if given.json:
        pathlib.Path(given.json).write_text(json.dumps(figures, indent=1) + "\n")
    made = tables(figures)
    if given.card:
        card = pathlib.Path(given.card)
        card.write_text(insert(card.read_text(), made))
    else:
        for name, text in made.items():
            print(f"\n<!-- figures: {name} -->\n{text}<!-- end -->")


if __name__ == "__main__":
    main()
