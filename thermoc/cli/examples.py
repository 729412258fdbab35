"""What the help of each command ends with: lines to try."""

from __future__ import annotations

from collections.abc import Mapping

EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "demo": ("thermoc demo", "thermoc demo --json"),
    "compile": (
        "thermoc compile demo -o digits.onnx",
        "thermoc compile net.py:net --chip thermo-1",
        "thermoc compile net.thermo -t sim -O precision=float32",
    ),
    "run": (
        "thermoc run net.py:net --ticks 1000 --seed 7",
        "thermoc run net.thermo -i x.npz -o y.npz",
        "thermoc run net.thermo --ticks 10000 --record s=mean --to run.zarr",
        "thermoc run net.thermo --chip thermo-1 --heat-map heat.png",
    ),
    "resume": ("thermoc resume run.ckpt", "thermoc resume run.ckpt --device cuda"),
    "certify": (
        "thermoc run net.py:net --ticks 1000 --certify",
        "thermoc certify net.certificate.json",
        "thermoc certify samples.npz --model net.py:net",
        "thermoc certify samples.json --model problem.coo --temperature 2 --plot temperatures.png",
    ),
    "verify": (
        "thermoc verify demo --targets sim,onnx",
        "thermoc verify net.py:net -t sim,sim:cuda --ticks 100 --plot error.png",
    ),
    "anneal": (
        "thermoc anneal g1.mtx --seconds 10",
        "thermoc anneal problem.cnf --seconds 10 -o answers.json",
    ),
    "check": ("thermoc check problem.cnf answers.json",),
    "cost": (
        "thermoc cost demo",
        "thermoc cost demo --on thermo-1,loihi,sim --plot cost.png",
        "thermoc cost net.thermo -i x.npz --on isaac,mine.toml --sources",
    ),
    "guard": (
        "thermoc guard net.py:net --epsilon 0.003",
        "thermoc guard net.thermo -i x.npz --chip mine.toml --plot guard.png",
    ),
    "report": ("thermoc report run.zarr",),
    "show": ("thermoc show demo", "thermoc show net.py:net --svg net.svg", "thermoc show net.py:net --passes fuse"),
    "targets": ("thermoc targets",),
    "formats": ("thermoc formats", "thermoc formats nir"),
    "passes": ("thermoc passes",),
    "doctor": ("thermoc doctor", "thermoc doctor --install lava"),
    "new": ("thermoc new mine", "cd mine && thermoc run network.py:net --ticks 20"),
    "schema": ("thermoc schema", "thermoc schema run > run.schema.json"),
}


def examples(command: str) -> str:
    """Return a command's examples as the end of its help, one a line: a terminal that is narrow breaks none."""
    if command not in EXAMPLES:
        return ""
    return "\n".join(["Examples:", "", "\b", *(f"  {line}" for line in EXAMPLES[command])])
