"""What an interpreter knows of its environment: run by it as a program, so it imports nothing else.

Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import platform
import site
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path
from typing import Any


def _version(info: Any) -> str:
    text = f"{info.major}.{info.minor}.{info.micro}"
    return text if info.releaselevel == "final" else text + info.releaselevel[0] + str(info.serial)


print(
    json.dumps(
        {
            "prefix": sys.prefix,
            "user_base": site.getuserbase(),
            "paths": sysconfig.get_paths(),
            "search": [place for place in sys.path if place],
            "bridge": find_spec("habana_frameworks") is not None,
            "managed": sys.prefix == sys.base_prefix
            and Path(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED").exists(),
            "markers": {
                "implementation_name": sys.implementation.name,
                "implementation_version": _version(sys.implementation.version),
                "os_name": os.name,
                "platform_machine": platform.machine(),
                "platform_release": platform.release(),
                "platform_system": platform.system(),
                "platform_version": platform.version(),
                "platform_python_implementation": platform.python_implementation(),
                "python_full_version": platform.python_version(),
                "python_version": ".".join(platform.python_version_tuple()[:2]),
                "sys_platform": sys.platform,
            },
        }
    )
)
