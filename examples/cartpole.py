"""Gymnasium's CartPole, balanced by a thermodynamic policy that learns by REINFORCE while it cools (P38).

    python examples/cartpole.py [FIGURE]      default cartpole.png

Sixteen units that switch by Fermi-Dirac's law give each of the two moves an energy; the move is drawn from Boltzmann's
law, and its temperature is the exploration. All copies of the task are one session, whose weights and temperature are
replaced after each batch of episodes; nothing is compiled again. Solved is a mean of 475 over 100 new episodes, for
three seeds of three.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from thermoc.apps.policies import Policy, train_policy

SEEDS = (1, 2, 3)
SOLVED, EPISODES = 475.0, 100


def draw(policies: dict[int, Policy], path: str) -> None:
    """Write a figure: scores while learning, the temperature, and what the policy does where the pole leans."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    cool = left.twinx()
    for seed, policy in policies.items():
        left.plot(policy.scores, label=f"seed {seed}")
        cool.plot(policy.temperatures, color="grey", lw=0.8, ls="--")
    left.axhline(SOLVED, color="black", lw=0.8, ls=":")
    left.set(xlabel="update (32 episodes each)", ylabel="mean score", title="Learning while cooling")
    cool.set(ylabel="temperature (dashed)", ylim=(0, None))
    left.legend(frameon=False, loc=(0.02, 0.25))
    angle, turning = np.meshgrid(np.linspace(-0.21, 0.21, 61), np.linspace(-2, 2, 61))
    x = np.stack([0 * angle, 0 * angle, angle, turning], axis=-1).reshape(-1, 4) / np.array([2.4, 2.0, 0.21, 2.0])
    policy = policies[SEEDS[0]]
    p = policy.executable.run({"x": x}, parameters=policy.parameters, record={"p": "all"})["p"][0, :, 1]
    image = right.pcolormesh(np.degrees(angle), turning, p.reshape(angle.shape), cmap="RdBu", vmin=0, vmax=1)
    figure.colorbar(image, ax=right, label="probability of a push to the right")
    right.set(
        xlabel="angle of the pole (degrees)", ylabel="angular velocity (1/s)", title="Cart at rest, in the middle"
    )
    figure.savefig(path, dpi=150)


def main() -> None:
    """Train three policies, evaluate each on new episodes, and write the figure."""
    path = sys.argv[1] if len(sys.argv) > 1 else "cartpole.png"
    policies = {}
    for seed in SEEDS:
        since = time.process_time()
        policies[seed] = policy = train_policy(seed=seed)
        scores = policy.evaluate(EPISODES, seed=1_000_000 + seed)
        spent = time.process_time() - since
        print(
            f"seed {seed}: {len(policy.scores)} updates, "
            f"T {policy.temperatures[0]:.2f} to {policy.temperatures[-1]:.2f}, "
            f"{EPISODES} new episodes: mean {scores.mean():.1f}, least {scores.min():.0f} ({spent:.1f} s of one core)"
        )
        assert scores.mean() >= SOLVED, f"seed {seed} did not solve it"
    draw(policies, path)
    print(f"figure: {path}")


if __name__ == "__main__":
    main()
