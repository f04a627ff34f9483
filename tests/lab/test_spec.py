import json

import pytest

from netbench.errors import UsageError
from netbench.lab.spec import LabSpec


def test_default_has_two_zones_with_three_nodes_and_two_pods_each() -> None:
    endpoints = LabSpec().endpoints
    assert [e.name for e in endpoints if e.node == "a1"] == ["a1", "a1-terway", "a1-terway-eni"]
    assert {(e.node, e.zone) for e in endpoints} == {("a1", "zone-a"), ("a2", "zone-a"), ("b1", "zone-b")}
    assert len({e.address for e in endpoints}) == 9


def test_a_routed_pod_is_limited_by_its_node_alone_unless_told_otherwise() -> None:
    spec = LabSpec(rate_fractions={"a1-terway": 0.5, "a2": 0.1})
    rates = {e.name: e.rate for e in spec.endpoints}
    assert (rates["a1-terway"], rates["a2-terway"]) == (1e9, None)
    assert (rates["a2"], rates["a2-terway-eni"]) == (2e8, 2e9)


def test_a_label_does_not_change_what_a_pod_is() -> None:
    pod = next(e for e in LabSpec(kind_labels={"b1-terway": "terway-eni"}).endpoints if e.name == "b1-terway")
    assert (pod.kind, pod.label) == ("terway", "terway-eni")


def test_a_spec_survives_json() -> None:
    spec = LabSpec(zones={"z": ("n1",)}, bandwidth=5e8, rate_fractions={"n1": 0.3}, kind_labels={"n1-terway": "x"})
    assert LabSpec.from_json(json.loads(json.dumps(spec.as_json()))) == spec


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"zones": {}}, "1 to 100 nodes"),
        ({"zones": {"z": ("n", "n")}}, "different names"),
        ({"zones": {"z": ("has blank",)}}, "'has blank'"),
        ({"rate_fractions": {"a9": 1.0}}, "rate_fractions: the lab has no a9"),
        ({"kind_labels": {"a1": "x"}}, "kind_labels: the lab has no a1"),
        ({"rate_fractions": {"a1": 0.0}}, "above 0"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        LabSpec(**options)  # type: ignore[arg-type]
