"""Distributions that do not belong on Gaudi, or do not fit together."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from packaging.version import Version

from porter.doctor.check import Found, Patient, Severity, check
from porter.doctor.releases import broken_beside, supported_software
from porter.wording import first_few, plural

_BRIDGE = "habana-torch-plugin"
#: Libraries of CUDA, and those that only run with them.
_CUDA = re.compile(
    r"nvidia-.+|cupy(-.+)?|cuda-(python|bindings|core|pathfinder|toolkit)|cufile-python"
    r"|flashinfer-.+|flash-attn|xformers|nixl-cu\d+"
)
_TORCH = ("torch", "torchvision", "torchaudio")
_CUDA_LABEL = re.compile(r"cu\d+")
_STOCK_LABEL = re.compile(r"cpu|cu\d+|rocm.*|xpu")
#: What a build of vLLM without kernels of its own is called, as the plugin needs it.
_EMPTY = ("empty", "gaudi", "hpu")
_OLD_NAMES = {"vllm-hpu": "vllm-gaudi", "py3nvml": "habana-pyhlml", "pynvml": "habana-pyhlml"}


def _pip(patient: Patient, verb: str, names: Sequence[str]) -> str:
    flags = " -y" if verb == "uninstall" else ""
    return f"{patient.python} -m pip {verb}{flags} {' '.join(names)}"


@check(Severity.WARNING)
def cuda_packages(patient: Patient) -> Iterator[Found]:
    names = sorted(filter(_CUDA.fullmatch, patient.distributions))
    if names:
        yield Found(
            f"{plural(len(names), 'package')} for CUDA: {first_few(names)}",
            "they are of no use on Gaudi, take gigabytes, and code that finds them takes "
            "CUDA's branches",
            _pip(patient, "uninstall", names),
        )


@check(Severity.ERROR)
def cuda_torch(patient: Patient) -> Iterator[Found]:
    for name in _TORCH:
        version = patient.version(name)
        if version is not None and _CUDA_LABEL.fullmatch(version.local or ""):
            yield Found(
                f"{name} {version} is a build for CUDA",
                "Gaudi's bridge needs the build that its release was made for",
                f"install Gaudi's torch again (its image has it), or {patient.python} -m pip "
                f"install --force-reinstall --no-deps '{name}=={version.public}+cpu'",
            )


@check(Severity.ERROR)
def lazy_mode_torch(patient: Patient) -> Iterator[Found]:
    """Habana's build has a label or a commit of its own in its version."""
    version = patient.version("torch")
    if version is None or patient.variables.get("PT_HPU_LAZY_MODE") != "1":
        return
    if version.local is None:
        stock = not version.is_prerelease
    else:
        stock = _STOCK_LABEL.fullmatch(version.local) is not None
    if stock:
        yield Found(
            f"PT_HPU_LAZY_MODE=1 with torch {version}, which is no build of Habana's",
            "the bridge refuses lazy mode with stock torch",
            "export PT_HPU_LAZY_MODE=0, or use an image whose torch is Habana's",
        )


@check(Severity.ERROR)
def cuda_vllm(patient: Patient) -> Iterator[Found]:
    version = patient.version("vllm")
    if version is not None and not (version.local or "").startswith(_EMPTY):
        yield Found(
            f"vllm {version} is a build with kernels of its own, for CUDA",
            "the Gaudi plugin is for a vLLM that is built without",
            f"{_pip(patient, 'uninstall', ['vllm'])}; in a clone of vLLM at v{version.public}: "
            f"VLLM_TARGET_DEVICE=empty {patient.python} -m pip install --no-build-isolation .",
        )


@check(Severity.ERROR)
def no_gaudi_plugin(patient: Patient) -> Iterator[Found]:
    if "vllm" in patient.distributions and "vllm-gaudi" not in patient.distributions:
        yield Found(
            "vllm is installed, and vllm-gaudi is not",
            "vLLM itself knows no Gaudi: the plugin brings the platform",
            "in a clone of vllm-project/vllm-gaudi, at the tag of your vLLM: "
            f"{patient.python} -m pip install --no-deps .",
        )


@check(Severity.ERROR)
def no_bridge(patient: Patient) -> Iterator[Found]:
    if "vllm-gaudi" in patient.distributions and _BRIDGE not in patient.distributions:
        yield Found(
            f"vllm-gaudi is installed, and {_BRIDGE} is not",
            "without the bridge torch has no device hpu",
            "use Gaudi's image, or run habanalabs-installer.sh install -t pytorch",
        )


@check(Severity.ERROR)
def plugin_of_another_vllm(patient: Patient) -> Iterator[Found]:
    vllm, plugin = patient.version("vllm"), patient.version("vllm-gaudi")
    if vllm is not None and plugin is not None and vllm.release[:2] != plugin.release[:2]:
        yield Found(
            f"vllm-gaudi {plugin} beside vllm {vllm}",
            "the plugin replaces parts of the vLLM of its own number",
            f"check out the tag v{vllm.public} of vllm-gaudi, and install it with --no-deps",
        )


@check(Severity.WARNING)
def software_of_another_vllm(patient: Patient) -> Iterator[Found]:
    vllm, bridge = patient.version("vllm"), patient.version(_BRIDGE)
    if vllm is None or bridge is None:
        return
    software = ".".join(map(str, bridge.release[:3]))
    supported = supported_software(vllm)
    if supported and software not in supported:
        yield Found(
            f"vllm {vllm} with Gaudi's software {software}",
            f"the plugin's page supports it with {' and '.join(supported)}",
            f"use the image of Gaudi's software {supported[-1]}, or a vLLM that was made for yours",
        )


@check(Severity.ERROR)
def mixed_software(patient: Patient) -> Iterator[Found]:
    """By release, not by build number, which parts of one release share too."""
    releases = {
        name: distribution.version
        for name, distribution in patient.distributions.items()
        if name.startswith("habana-") and patient.version(name) is not None
    }
    if len({Version(version).release[:3] for version in releases.values()}) > 1:
        each = ", ".join(f"{name} {version}" for name, version in sorted(releases.items()))
        yield Found(
            f"parts of several releases of Gaudi's software: {each}",
            "they share libraries, and work in one release alone",
            "install all of them again from the image, or the installer, of one release",
        )


@check(Severity.WARNING)
def old_names(patient: Patient) -> Iterator[Found]:
    for old, new in _OLD_NAMES.items():
        if old in patient.distributions:
            yield Found(
                f"{old} is installed",
                f"it does nothing for Gaudi: what you want is {new}",
                _pip(patient, "uninstall", [old]),
            )


@check(Severity.ERROR)
def upstream_lmcache(patient: Patient) -> Iterator[Found]:
    """Or a port that an upgrade has replaced: nothing of it is left but upstream's number."""
    lmcache = patient.distributions.get("lmcache")
    if lmcache is not None and not lmcache.is_ported:
        yield Found(
            f"{lmcache} is upstream's, not a port: perhaps an upgrade has replaced one",
            "its layers, blending and failed loads do not work on Gaudi, and it asks for CUDA's "
            "libraries",
            f"porter port lmcache=={lmcache.version} -o ported && "
            f"porter install ported/*.whl --python {patient.python}",
        )


@check(Severity.ERROR)
def installed_twice(patient: Patient) -> Iterator[Found]:
    counts = Counter(distribution.name for distribution in patient.installed)
    for name, count in sorted(counts.items()):
        if count > 1:
            versions = [d.version for d in patient.installed if d.name == name]
            yield Found(
                f"{name} is installed {count} times: {', '.join(sorted(versions))}",
                "an upgrade was interrupted, or two folders have it; nobody knows whose files "
                "are imported",
                _pip(patient, "uninstall", [name]) + ", as often as it finds one; install again",
            )


@check(Severity.ERROR)
def damaged_port(patient: Patient) -> Iterator[Found]:
    for distribution in patient.distributions.values():
        if not distribution.is_ported:
            continue
        damaged = [str(path.relative_to(distribution.root)) for path in distribution.damaged()]
        if damaged:
            yield Found(
                f"{plural(len(damaged), 'file')} of {distribution} changed or missing: "
                f"{first_few(damaged)}",
                "something was unpacked over the port, or edited in it",
                f"porter install WHEEL --python {patient.python}, with the wheel that porter built",
            )


@check(Severity.ERROR)
def lmcache_of_another_vllm(patient: Patient) -> Iterator[Found]:
    lmcache, vllm = patient.version("lmcache"), patient.version("vllm")
    if lmcache is None or vllm is None:
        return
    for why in broken_beside(lmcache, vllm):
        yield Found(
            f"lmcache {lmcache} beside vllm {vllm}",
            why,
            "port a later LMCache: porter port lmcache==0.5.6 -o ported",
        )


@check(Severity.WARNING)
def requirements_of_the_port(patient: Patient) -> Iterator[Found]:
    for distribution in patient.distributions.values():
        missing = [
            complaint.requirement
            for complaint in patient.unmet
            if complaint.package == distribution.name and complaint.found is None
        ]
        if distribution.is_ported and missing:
            yield Found(
                f"{distribution} needs {first_few([each.name for each in missing])}",
                "what uses them fails when it is first imported",
                _pip(patient, "install", [f"'{each.name}{each.specifier}'" for each in missing]),
            )
