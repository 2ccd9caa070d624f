from __future__ import annotations

from packaging.version import Version

from porter.doctor.releases import broken_beside, supported_software


def test_what_the_plugins_page_supports():
    assert supported_software(Version("0.17.1")) == ("1.23.0", "1.24.0")
    assert supported_software(Version("0.26.0+empty")) == ("1.24.1",)
    assert supported_software(Version("0.1.0")) == ()


def test_why_an_lmcache_does_not_work_beside_a_vllm():
    assert list(broken_beside(Version("0.3.5+hpu.1"), Version("0.11.2")))
    assert not list(broken_beside(Version("0.5.6+hpu.1"), Version("0.32.0+empty")))
