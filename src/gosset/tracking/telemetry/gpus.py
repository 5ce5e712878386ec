"""How busy the NVIDIA GPUs are, through NVML, where its library for Python is installed."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import Any, Final

_MIB: Final = 1 << 20


def open_gpus() -> Callable[[], dict[str, float]] | None:
    """Return what looks at the GPUs that this process may use; None where there are none.

    It gives, for GPU 0, ``system/gpu/0`` and ``system/gpu/0/memory`` in percent of what there
    is, ``system/gpu/0/power`` in watts and ``system/gpu/0/temperature`` in °C.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # one of two libraries of this name says it is old
            import pynvml
        pynvml.nvmlInit()
    except Exception:  # noqa: BLE001 - no library, no driver, or none that fit
        return None
    gpus = _visible(pynvml)
    if not gpus:
        return None
    return lambda: {name: value for n, gpu in gpus.items() for name, value in _look(pynvml, n, gpu)}


def _look(nvml: Any, number: int, gpu: Any) -> list[tuple[str, float]]:
    looks: dict[str, Callable[[], float]] = {
        "": lambda: nvml.nvmlDeviceGetUtilizationRates(gpu).gpu,
        "/memory": lambda: _share(nvml.nvmlDeviceGetMemoryInfo(gpu)),
        "/power": lambda: nvml.nvmlDeviceGetPowerUsage(gpu) / 1000,
        "/temperature": lambda: nvml.nvmlDeviceGetTemperature(gpu, nvml.NVML_TEMPERATURE_GPU),
    }
    found = []
    for name, look in looks.items():
        try:
            found.append((f"system/gpu/{number}{name}", float(look())))
        except nvml.NVMLError:  # this one cannot tell
            continue
    return found


def _share(memory: Any) -> float:
    return float(100 * memory.used / memory.total)


def _visible(nvml: Any) -> dict[int, Any]:
    """Return number → GPU of those that ``CUDA_VISIBLE_DEVICES`` leaves."""
    found = {}
    try:
        for number in range(nvml.nvmlDeviceGetCount()):
            gpu = nvml.nvmlDeviceGetHandleByIndex(number)
            name = nvml.nvmlDeviceGetUUID(gpu)
            named = {str(number), name if isinstance(name, str) else name.decode()}
            chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
            if chosen is None or named & {each.strip() for each in chosen.split(",")}:
                found[number] = gpu
    except nvml.NVMLError:
        return found
    return found
