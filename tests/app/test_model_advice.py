"""What ``models doctor`` says, for machines that are not this one."""

from __future__ import annotations

import tomllib
from pathlib import Path

from workstation.app.model_devices import advice
from workstation.prelabel.providers import Attempt, Machine, Verdict

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def on_cpu(reason: str) -> Verdict:
    tried = (Attempt(provider=CUDA, reason=reason), Attempt(provider=CPU, milliseconds=20.0))
    return Verdict(provider=CPU, milliseconds=20.0, attempts=tried)


def test_what_is_to_be_installed_is_called_as_it_is_called() -> None:
    """A wrong name would bring somebody else's package."""
    plain = advice(Machine(runtime="1.30", offered=(CPU,)), {}, {})
    lacking = advice(Machine(runtime="1.30", offered=(CUDA, CPU)), {"m": on_cpu("cuDNN 9 was not found")}, {})
    for each, extras in ((plain, ("gpu", "webgpu")), (lacking, ("gpu",))):
        for extra in extras:
            assert extra in PROJECT["optional-dependencies"]
            assert f'pip install "{PROJECT["name"]}[{extra}]"' in each.mend


def test_a_card_that_fails_is_told_with_what_to_do() -> None:
    machine = Machine(runtime="1.30", offered=(CUDA, CPU), driver="550.54")
    lacking = advice(machine, {"m": on_cpu("cuDNN 9 was not found")}, {})
    assert "m runs on CPU, 20.0 ms, because cuDNN 9 was not found." in lacking.words
    assert "CUDA and cuDNN" in lacking.mend
    assert "driver" not in lacking.words
    driver = advice(machine, {"m": on_cpu("no NVIDIA driver was found")}, {})
    assert driver.mend.startswith("with an NVIDIA card, install its driver")
    differs = advice(machine, {"m": on_cpu("CUDA answers differently: 0.5 where 0.01 is allowed")}, {})
    assert differs.mend == ""  # nothing to install would change that
    well = Verdict(provider=CUDA, milliseconds=3.1, attempts=(Attempt(provider=CUDA, milliseconds=3.1),))
    assert "m runs on CUDA, 3.1 ms." in advice(machine, {"m": well}, {}).words
