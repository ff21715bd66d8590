"""Options of ``docker buildx build`` as buildx v0.38.2 hands them to the frontend."""

from __future__ import annotations

from typing import Any

import pytest

from cachegraph.cli.frontend_options import frontend_options
from cachegraph.errors import UsageError


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {}),
        ({"no_cache": True}, {"no-cache": ""}),
        ({"no_cache_filter": ["a", "b"]}, {"no-cache": "a,b"}),
        ({"network": "host"}, {"force-network-mode": "host"}),
        ({"network": "default"}, {}),
        # toBuildkitExtraHosts: both forms, several addresses, brackets of any kind of address
        ({"hosts": ["a=1.2.3.4", "b:::1"]}, {"add-hosts": "a=1.2.3.4,b=::1"}),
        ({"hosts": ["a=1.2.3.4,[::1]", "c:[5.6.7.8]"]}, {"add-hosts": "a=1.2.3.4,a=::1,c=5.6.7.8"}),
        # the builder's own address, which is in no key
        ({"hosts": ["a=host-gateway"]}, {"add-hosts": "a=127.0.0.1"}),
        # MemBytes
        ({"shm_size": "64m"}, {"shm-size": "67108864"}),
        ({"shm_size": "0"}, {}),
        # UlimitOpt: by name, the last of a name, the hard limit written out
        (
            {"ulimits": ["nofile=1024", "cpu=1:2", "nofile=5:-1", "core=-1"]},
            {"ulimit": "core=-1:-1,cpu=1:2,nofile=5:-1"},
        ),
        ({"cgroup_parent": "ci"}, {"cgroup-parent": "ci"}),
    ],
)
def test_options_are_those_that_buildx_hands_on(given: dict[str, Any], expected: dict[str, str]) -> None:
    assert frontend_options(**given) == expected


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"no_cache": True, "no_cache_filter": ["a"]}, "both given"),
        ({"network": "bridge"}, "none but default, host and none"),
        ({"hosts": ["a"]}, "no host with its address"),
        ({"hosts": ["=1.2.3.4"]}, "no host with its address"),
        ({"hosts": ["a=b"]}, "'b' is no IP address"),
        ({"hosts": ["a=1.2.3.4,host-gateway"]}, "'host-gateway' is no IP address"),
        ({"hosts": ["a=fe80::1%eth0"]}, "no IP address"),
        ({"hosts": ["a=[]"]}, "no IP address"),
        ({"shm_size": "much"}, "no size"),
        ({"ulimits": ["nofile"]}, "no limit"),
        ({"ulimits": ["as=1"]}, "no limit"),
        ({"ulimits": ["nofile=1:2:3"]}, "no limit"),
        ({"ulimits": ["nofile=x"]}, "no limit"),
        ({"ulimits": ["nofile=2:1"]}, "greater than the hard one"),
        ({"ulimits": ["nofile=-1:1"]}, "greater than the hard one"),
    ],
)
def test_what_buildx_refuses_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        frontend_options(**given)
