"""Gaudi's ``hpu`` device on host memory: PyTorch's own device type, with the kernels of the CPU.

    import porter.emulator

    porter.emulator.install()               # right after ``import torch``, or before it
    with porter.emulator.record() as recording:
        ...
    recording.graphs, recording.syncs, recording.copies["h2d"].bytes, recording.reports

``porter emulate`` and ``pytest --hpu-emulator`` do the same for a command and for a test suite.
"""

from porter.emulator.install import configure as configure
from porter.emulator.install import install as install
from porter.emulator.recording import Recording as Recording
from porter.emulator.recording import record as record
from porter.emulator.sanitizer import Report as Report
from porter.emulator.sanitizer import forget as forget
from porter.emulator.sanitizer import notes as notes
from porter.emulator.sanitizer import reports as reports
from porter.emulator.settings import Settings as Settings
