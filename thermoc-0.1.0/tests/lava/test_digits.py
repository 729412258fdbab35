"""The digits on the chip's integers: as accurate as in floats, and the same labels from Lava and from the emulator."""

import numpy as np
import pytest

import thermoc as tc
from thermoc.demo import digits, network


@pytest.fixture(scope="module")
def compiled() -> tc.Executable:
    return tc.compile(network(), target="lava", input_range=(0.0, 1.0))


def test_accuracy_is_within_a_point_of_floats_and_every_label_is_the_emulators(compiled: tc.Executable):
    data = digits()
    images = {"pixels": data.test_images}
    lava = compiled.run(images)["probs"][-1]
    emulated = tc.compile(compiled.graph, target="sim").run(images)["probs"][-1]
    floats = tc.compile(network(), target="sim").run(images)["probs"][-1]
    np.testing.assert_array_equal(lava.argmax(axis=-1), emulated.argmax(axis=-1))
    np.testing.assert_allclose(lava, emulated, rtol=0, atol=1e-12)
    right = [float((found.argmax(axis=-1) == data.test_labels).mean()) for found in (lava, floats)]
    assert right[1] > 0.97 and abs(right[0] - right[1]) <= 0.01


def test_stock_units_alone_come_within_three_points():
    data = digits()
    some = {"pixels": data.test_images[:200]}
    exe = tc.compile(network(), target="lava", input_range=(0.0, 1.0), coding="thermal", stock_only=True)
    found = exe.run(some, ticks=64, seed=2)["probs"][-1]
    floats = tc.compile(network(), target="sim").run(some)["probs"][-1]
    right = [float((p.argmax(axis=-1) == data.test_labels[:200]).mean()) for p in (found, floats)]
    assert right[0] >= right[1] - 0.03
