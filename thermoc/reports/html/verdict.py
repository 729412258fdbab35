"""What stands on top of a report: whether targets agree, laws hold and chains are mixed, and on what it ran."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

OK, WARN, FAIL, NONE = "ok", "warn", "fail", "none"
MACHINES = {
    "software": ("Software", "The numbers were computed on this computer; no chip took part, and none is modelled."),
    "emulated": ("Emulated", "A model of the machine ran on this computer; no hardware was measured."),
    "hardware": ("Hardware", "The machine itself ran, and its numbers were measured."),
    "": ("Unknown", "The target's package is not installed here, so what it ran on is not known."),
}


def verdict(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return cards: title, state (ok, warn, fail, none), a line of text, and the section or selection it leads to."""
    subjects = document["subjects"]
    return [
        *_differ(document["comparison"]),
        _agree(document["targets"]),
        _laws(document["laws"]),
        _mixed(subjects),
        *_machines(subjects),
        *_hottest(subjects, "AB" if document["comparison"] is not None else ""),
        *_divergence(document["targets"]),
        *_stopped(subjects),
    ]


def _card(title: str, state: str, text: str, section: str, **select: Any) -> dict[str, Any]:
    return {"title": title, "state": state, "text": text, "section": section, "select": select}


def _differ(compared: Mapping[str, Any] | None) -> Iterator[dict[str, Any]]:
    """Yield whether two runs gave the same, and what was asked differently."""
    if compared is None:
        return
    asked = [row["what"] for row in compared["asked"] if not row["same"]]
    text = f"Asked differently: {', '.join(asked[:5]) or 'nothing'}{' and more' * (len(asked) > 5)}."
    courses, apart = compared["courses"], [row for row in compared["courses"] if row["first"] is not None]
    if courses and not apart:
        yield _card("Both runs are the same", OK, f"Bit for bit, at every tick that can be compared. {text}", "compare")
        return
    scores = [abs(row["apart, error bars"]) for row in compared["outputs"] if row["apart, error bars"] is not None]
    text += f" Means of sampled outputs are {max(scores):.2g} error bars apart at most." if scores else ""
    title = f"Runs diverge at tick {min(row['first'] for row in apart)}" if apart else "Two runs"
    state = WARN if scores and max(scores) > 4 else NONE
    select = {"tick": min(row["first"] for row in apart)} if apart else {}
    yield _card(title, state, text, "compare", **select)


def _agree(targets: Mapping[str, Any] | None) -> dict[str, Any]:
    if targets is None:
        text = "Not compared here: thermoc verify MODEL --targets sim,onnx --report PAGE.html"
        return _card("Targets agree?", NONE, text, "targets")
    good = [name for name in targets["targets"] if all(row["ok"] for row in targets["rows"] if row["target"] == name)]
    text = f"{len(good)} of {len(targets['targets'])} targets hold every bound"
    unjudged = [row for row in targets["rows"] if row["verdict"] == "not judged"]
    text += f"; {len(unjudged)} values could not be judged" if unjudged else ""
    if targets["ok"]:
        return _card("Targets agree", OK, f"{text}: {', '.join(good)}.", "targets")
    bad = [name for name in targets["targets"] if name not in good]
    if not any(row["verdict"] == "breach" for row in targets["rows"]):
        return _card("Targets agree as far as judged", WARN, f"{text}: {', '.join(bad)}.", "targets")
    return _card("Targets do not agree", FAIL, f"{text}; not {', '.join(bad)}.", "targets")


def _laws(laws: Mapping[str, Any] | None) -> dict[str, Any]:
    if laws is None:
        return _card("Laws hold?", NONE, "Not checked: --certify checks them on the run.", "laws")
    count = sum(row["verdict"] == "holds" for row in laws["rows"])
    text = f"{count} of {len(laws['rows'])} laws of physics hold on this run; {len(laws['skipped'])} not checked."
    title, state = _LAWS[laws["verdict"]]
    return _card(title, state, text, "laws")


_LAWS = {
    "holds": ("Laws hold", OK),
    "fails": ("A law does not hold", FAIL),
    "cannot tell": ("Too short to tell whether laws hold", WARN),
}


def _mixed(subjects: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    outputs = [(subject, output) for subject in subjects for output in subject["mixing"]]
    if not outputs:
        return _card("Chains mixed?", NONE, "No output samples an equilibrium for 8 ticks or more.", "mixing")
    bad = [(s, output) for s, output in outputs if not all(row["mixed"] for row in output["rows"])]
    if not bad:
        worst = max(row["r_hat"] or 0 for _, output in outputs for row in output["rows"])
        text = f"R-hat is {worst:.4g} at most, over {len(outputs)} sampled output{'s' * (len(outputs) > 1)}."
        return _card("Chains mixed", OK, text, "mixing")
    names = ", ".join(dict.fromkeys(output["name"] for _, output in bad))
    return _card("Chains not mixed", WARN, f"No equilibrium sample yet: {names}. Run longer.", "mixing")


def _machines(subjects: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for machine in dict.fromkeys(subject["machine"] for subject in subjects):
        title, text = MACHINES.get(machine, MACHINES[""])
        names = ", ".join(dict.fromkeys(s["target"] for s in subjects if s["machine"] == machine))
        yield _card(f"{title}: {names}", NONE, text, "facts")


def _hottest(subjects: Sequence[Mapping[str, Any]], letters: str) -> Iterator[dict[str, Any]]:
    """Yield the op that alone would warm its place most, of each chip; leakage is no op. letters: of two runs."""
    for number, subject in enumerate(subjects):
        ops = [op for op in (subject["chip"] or subject["costs"] or {"ops": []})["ops"] if op["holds"]]
        if ops:
            op = max(ops, key=lambda op: op["kelvin"] or 0)
            text = f"It alone would warm its hottest place by {op['kelvin']:.3g} K, for {op['joules']:.3g} J in all."
            run = f" in {letters[number]}" if letters else ""
            yield _card(f"Hottest op{run}: {op['op']}", NONE, text, "chip", op=op["op"], subject=number)


def _divergence(targets: Mapping[str, Any] | None) -> Iterator[dict[str, Any]]:
    if targets is None:
        return
    found = [first for first in targets["first"] if first["tick"] is not None]
    if not found:
        yield _card("No divergence", OK, "No target leaves the network's own course at any tick.", "targets")
        return
    first = min(found, key=lambda first: (first["why"] != "breach", first["tick"]))
    place = f" in pass {first['pass']}" if first["pass"] else ""
    state = FAIL if first["why"] == "breach" else NONE
    text = f"On {first['target']}, at {first['op']}{place}: {first['why']}."
    title = f"First divergence: tick {first['tick']}"
    yield _card(title, state, text, "targets", op=first["op"], tick=first["tick"])


def _stopped(subjects: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    if not all(subject["complete"] for subject in subjects):
        yield _card("Run not complete", WARN, "It was stopped: the page shows what was recorded until then.", "facts")
