"""Telemetry: what is known of a tracked run without anybody logging it.

- ``console.py``: what the code prints, as Python sees it
- ``descriptors.py``: the same at the level of files, where compiled code and other programs print
- ``transcript.py``: what is kept of that: lines as they ended up, the head and the tail
- ``secrets.py``: what must not be kept of anything
- ``origin.py``, ``capturing.py``: code version and environment, looked into off the critical path
- ``sampling.py``, ``machine.py``, ``gpus.py``: how busy the machine is, as series ``system/…``

Nothing is loaded before it is needed; a short script needs hardly any of it.
"""
