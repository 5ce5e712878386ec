"""The trackers that are measured: one module each, all with the protocol of :mod:`.protocol`.

A module is loaded in two places: by the driver, which may not have the tracker installed, and
in the tracker's own environment, with the clock running. So none imports at its top anything
but what an interpreter has loaded already.
"""
